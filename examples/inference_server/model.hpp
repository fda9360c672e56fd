// A model that train.py has saved: a folder with config.json and what XGBoost wrote.
#pragma once

#include <chrono>
#include <string>
#include <vector>

struct FeatureMatrix;

struct Entity {
  std::string name;
  std::string datatype;  // of the Open Inference Protocol: INT64 or BYTES
};

struct ModelConfig {
  static ModelConfig load(const std::string &folder);
  std::string name;
  std::vector<Entity> entities;
  std::vector<std::string> features;  // "feature_view:feature", in the order of the model's columns
  std::chrono::milliseconds max_age;  // older values are as good as none
  std::string file;                   // XGBoost's
};

// Any number of threads may predict at once.
class Model {
 public:
  explicit Model(const std::string &file);
  ~Model();
  Model(const Model &) = delete;
  Model &operator=(const Model &) = delete;
  // A score a row. NaN is XGBoost's missing value.
  std::vector<float> predict(const FeatureMatrix &matrix) const;

 private:
  void *booster_ = nullptr;
};
