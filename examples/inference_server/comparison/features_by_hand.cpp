// Features by libcurl and nlohmann-json: what one writes first. No merging, no retries, no figures, no fewer connections than
// requests under way.
#include <curl/curl.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <mutex>
#include <nlohmann/json.hpp>

#include "features.hpp"
#include "model.hpp"

using nlohmann::json;

struct Features::Store {
  std::string url;
  std::vector<std::string> features;
  std::chrono::milliseconds max_age;
  std::mutex mutex;
  std::vector<CURL *> idle;  // each with its connection
};

static std::size_t append(char *data, std::size_t size, std::size_t count, void *text) {
  static_cast<std::string *>(text)->append(data, size * count);
  return size * count;
}

static FieldStatus status_of(const std::string &name) {
  if (name == "PRESENT") return kPresent;
  if (name == "NULL_VALUE") return kNullValue;
  if (name == "NOT_FOUND") return kNotFound;
  return name == "OUTSIDE_MAX_AGE" ? kOutsideMaxAge : kInvalid;
}

// Such as 2026-03-01T12:30:15Z; 1970 where there is none.
static time_t seconds_of(const std::string &timestamp) {
  tm parts{};
  return strptime(timestamp.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr ? 0 : timegm(&parts);
}

Features::Features(const ModelConfig &model, const std::string &) : store_(new Store) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  store_->url = std::getenv("FEAST_URL");
  store_->features = model.features;
  store_->max_age = model.max_age;
}

Features::~Features() {
  for (CURL *curl : store_->idle) curl_easy_cleanup(curl);
}

static std::string perform(CURL *curl, const std::string &url) {
  std::string answer;
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) throw FeatureError(code == CURLE_OPERATION_TIMEDOUT ? 504 : 503, curl_easy_strerror(code));
  long http_status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http_status);
  if (http_status == 422) throw FeatureError(400, answer);
  if (http_status == 429 || http_status > 500) throw FeatureError(503, answer);
  if (http_status != 200) throw FeatureError(502, answer);
  return answer;
}

static void read(const std::string &answer, const std::vector<std::string> &features, std::chrono::milliseconds max_age,
                 FeatureMatrix &matrix) {
  const json document = json::parse(answer);
  const json &names = document.at("metadata").at("feature_names");
  const time_t oldest = time(nullptr) - max_age.count() / 1000;
  for (std::size_t column = 0; column < matrix.columns; column++) {
    // The server has an order of its own.
    const std::string name = features[column].substr(features[column].find(':') + 1);
    const auto found = std::find(names.begin(), names.end(), name);
    const json &result = document.at("results").at(static_cast<std::size_t>(found - names.begin()));
    for (std::size_t row = 0; row < matrix.rows; row++) {
      const std::size_t at = row * matrix.columns + column;
      const json &value = result.at("values").at(row);
      FieldStatus status = status_of(result.at("statuses").at(row));
      if (status == kPresent && seconds_of(result.at("event_timestamps").at(row)) < oldest) status = kOutsideMaxAge;
      const bool is_missing = value.is_null() || status == kOutsideMaxAge;
      matrix.values[at] = is_missing ? NAN : value.is_number_integer() ? static_cast<float>(value.get<std::int64_t>())
                                                                       : static_cast<float>(value.get<double>());
      matrix.statuses[at] = status;
    }
  }
}

FeatureMatrix Features::fetch(const std::vector<EntityColumn> &entities, std::size_t rows, const CallContext &context) const {
  json question = {{"features", store_->features}, {"entities", json::object()}};
  for (const EntityColumn &entity : entities)
    std::visit([&](const auto &values) { question["entities"][entity.name] = values; }, entity.values);
  const std::string body = question.dump();
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(context.deadline - std::chrono::steady_clock::now());
  if (left.count() <= 0) throw FeatureError(504, "the deadline has passed");

  CURL *curl = nullptr;
  {
    std::lock_guard<std::mutex> lock(store_->mutex);
    if (!store_->idle.empty()) {
      curl = store_->idle.back();
      store_->idle.pop_back();
    }
  }
  if (curl == nullptr) curl = curl_easy_init();
  curl_slist *headers = curl_slist_append(nullptr, "Content-Type: application/json");
  if (!context.traceparent.empty()) headers = curl_slist_append(headers, ("traceparent: " + context.traceparent).c_str());
  if (!context.tracestate.empty()) headers = curl_slist_append(headers, ("tracestate: " + context.tracestate).c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.c_str());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
  struct Returned {
    Store &store;
    CURL *curl;
    curl_slist *headers;
    ~Returned() {
      curl_slist_free_all(headers);
      std::lock_guard<std::mutex> lock(store.mutex);
      store.idle.push_back(curl);
    }
  } returned{*store_, curl, headers};
  FeatureMatrix matrix(rows, store_->features.size());
  try {
    read(perform(curl, store_->url + "/get-online-features"), store_->features, store_->max_age, matrix);
  } catch (const json::exception &failure) {
    throw FeatureError(502, failure.what());
  }
  return matrix;
}

void Features::check_health() const {
  std::unique_ptr<CURL, void (*)(CURL *)> curl(curl_easy_init(), curl_easy_cleanup);
  perform(curl.get(), store_->url + "/health");
}

std::string Features::prometheus() const { return ""; }
