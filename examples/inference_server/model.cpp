#include "model.hpp"

#include <xgboost/c_api.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "features.hpp"

ModelConfig ModelConfig::load(const std::string &folder) {
  std::ifstream file(folder + "/config.json");
  if (!file) throw std::runtime_error(folder + "/config.json cannot be read: has train.py made the model?");
  const auto json = nlohmann::json::parse(file);
  ModelConfig config;
  config.name = json.at("name");
  for (const auto &entity : json.at("entities")) config.entities.push_back({entity.at("name"), entity.at("datatype")});
  config.features = json.at("features");
  config.max_age = std::chrono::seconds(json.at("max_age_seconds").get<long>());
  config.file = folder + "/" + json.at("model").get<std::string>();
  return config;
}

static void check(int failed) {
  if (failed != 0) throw std::runtime_error(std::string("XGBoost: ") + XGBGetLastError());
}

Model::Model(const std::string &file) {
  check(XGBoosterCreate(nullptr, 0, &booster_));
  check(XGBoosterLoadModel(booster_, file.c_str()));
  // The requests are what runs in parallel.
  check(XGBoosterSetParam(booster_, "nthread", "1"));
}

Model::~Model() { XGBoosterFree(booster_); }

std::vector<float> Model::predict(const FeatureMatrix &matrix) const {
  const std::string array = "{\"data\":[" + std::to_string(reinterpret_cast<std::uintptr_t>(matrix.values.data())) +
                            ",true],\"typestr\":\"<f4\",\"version\":3,\"shape\":[" + std::to_string(matrix.rows) + "," +
                            std::to_string(matrix.columns) + "]}";
  static const char *const config =
      R"({"type":0,"training":false,"iteration_begin":0,"iteration_end":0,"strict_shape":false,"missing":NaN,"cache_id":0})";
  const bst_ulong *shape = nullptr;
  bst_ulong dimensions = 0;
  const float *scores = nullptr;  // the booster's, of this thread
  check(XGBoosterPredictFromDense(booster_, array.c_str(), config, nullptr, &shape, &dimensions, &scores));
  return std::vector<float>(scores, scores + matrix.rows);
}
