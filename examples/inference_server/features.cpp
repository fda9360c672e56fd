// Features by libfeast_remote: one store for the whole server. What is merged, how many connections there are and how often is
// retried stands in the feature_store.yaml.
#include "features.hpp"

#include <cmath>
#include <feast_remote.hpp>

#include "model.hpp"

struct Features::Store {
  feast::Remote remote;
  feast::Request request;  // all but the rows; each call has a clone
};

static feast::Request request_of(const ModelConfig &model) {
  feast::Request request;
  for (const std::string &feature : model.features) request.add_feature(feature);
  request.set_max_age(model.max_age, true);
  return request;
}

// Whose mistake was it? The client learns whether to mend the request, to come again, or to wait for somebody else.
static int http_status(const feast::Error &error) {
  switch (error.status()) {
    case FEAST_INVALID_ARGUMENT:
    case FEAST_INVALID_REQUEST: return 400;
    case FEAST_TIMEOUT: return 504;
    // Overloaded, throttled, an outage. What Feast says of a key of the wrong type is a 500 that is not retriable.
    default: return error.is_retriable() ? 503 : 502;
  }
}

Features::Features(const ModelConfig &model, const std::string &feature_store_yaml)
    : store_(new Store{feast::Remote(feast::Config().load_yaml(feature_store_yaml)), request_of(model)}) {}

Features::~Features() = default;

// W3C: a trace context that cannot be read is ignored.
static void pass_trace_context(const CallContext &context, feast::Request &request) {
  if (context.traceparent.empty()) return;
  try {
    request.set_trace_context(context.traceparent, context.tracestate);
  } catch (const feast::Error &) {
  }
}

FeatureMatrix Features::fetch(const std::vector<EntityColumn> &entities, std::size_t rows, const CallContext &context) const {
  FeatureMatrix matrix(rows, store_->request.matrix_width());
  try {
    feast::Request request = store_->request.clone();
    for (const EntityColumn &entity : entities)
      std::visit([&](const auto &values) { request.set_entity(entity.name, values); }, entity.values);
    request.set_deadline(context.deadline);
    pass_trace_context(context, request);
    store_->remote.get_online_features_into(request, matrix.values.data(), matrix.columns, NAN, matrix.statuses.data());
  } catch (const feast::Error &error) {
    throw FeatureError(http_status(error), error.what());
  }
  return matrix;
}

void Features::check_health() const { store_->remote.check_health(); }

std::string Features::prometheus() const { return feast::stats_prometheus({{"features", &store_->remote}}); }
