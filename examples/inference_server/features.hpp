// Where the model's features come from. features.cpp fetches them with libfeast_remote; comparison/features_by_hand.cpp is the
// same with libcurl and a JSON library, to be linked in its place.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

struct ModelConfig;

// The values of one join key, one a row. Feast's join keys are integers or strings.
struct EntityColumn {
  std::string name;
  std::variant<std::vector<std::int64_t>, std::vector<std::string>> values;
};

// What a request for features inherits from the request that the server is answering.
struct CallContext {
  std::chrono::steady_clock::time_point deadline;
  std::string traceparent, tracestate;  // W3C Trace Context; empty for none
};

// Numbered as FEAST_FIELD_STATUS_.
enum FieldStatus : std::uint8_t { kInvalid, kPresent, kNullValue, kNotFound, kOutsideMaxAge, kFieldStatuses };

// Row-major, a column a feature in the model's order, NaN where there is no value.
struct FeatureMatrix {
  FeatureMatrix(std::size_t rows, std::size_t columns)
      : rows(rows), columns(columns), values(rows * columns), statuses(rows * columns) {}
  std::size_t rows, columns;
  std::vector<float> values;
  std::vector<std::uint8_t> statuses;  // FieldStatus, at the same places as the values
};

// Why there are no features, as the HTTP status that the client of this server gets.
struct FeatureError : std::runtime_error {
  FeatureError(int http_status, const std::string &message) : std::runtime_error(message), http_status(http_status) {}
  int http_status;
};

// Any number of threads may fetch at once.
class Features {
 public:
  Features(const ModelConfig &model, const std::string &feature_store_yaml);
  ~Features();
  // Throws FeatureError.
  FeatureMatrix fetch(const std::vector<EntityColumn> &entities, std::size_t rows, const CallContext &context) const;
  // Throws std::exception unless the feature server says that it is well.
  void check_health() const;
  // Its own figures in Prometheus' text format.
  std::string prometheus() const;

 private:
  struct Store;
  std::unique_ptr<Store> store_;
};
