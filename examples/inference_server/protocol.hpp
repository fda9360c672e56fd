// The JSON of the Open Inference Protocol (KServe v2, REST), of requests that carry entities in the place of features.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "features.hpp"

struct ModelConfig;

// The client's mistake.
struct BadRequest : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct InferRequest {
  std::string id;
  std::vector<EntityColumn> entities;
  std::size_t rows = 0;
};

// Throws BadRequest.
InferRequest parse_infer_request(const std::string &body, const ModelConfig &model);
std::string infer_response(const InferRequest &request, const ModelConfig &model, const std::vector<float> &scores);
std::string server_metadata();
std::string model_metadata(const ModelConfig &model);
std::string error_body(const std::string &message);
