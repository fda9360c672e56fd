#include "protocol.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "model.hpp"

using nlohmann::json;

static constexpr const char *kVersion = "1";
static constexpr const char *kOutput = "score";

// The type is the client's: which one a join key has, Feast's registry knows, and the feature server judges.
static EntityColumn entity_column(const json &input) {
  const std::string name = input.at("name"), datatype = input.at("datatype");
  if (!input.contains("data"))
    throw BadRequest("input `" + name + "` has no `data`; binary tensor data is not understood, send JSON (binary_data=False)");
  const json &data = input.at("data");
  std::size_t elements = 1;
  for (const json &length : input.at("shape")) elements *= length.get<std::size_t>();
  if (elements != data.size())
    throw BadRequest("input `" + name + "` has " + std::to_string(data.size()) + " values and a shape of " + std::to_string(elements));
  if (datatype == "INT64") {
    for (const json &value : data)
      if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX))
        throw BadRequest("input `" + name + "`: " + value.dump() + " is no INT64");
    return {name, data.get<std::vector<std::int64_t>>()};
  }
  if (datatype == "BYTES") return {name, data.get<std::vector<std::string>>()};
  throw BadRequest("input `" + name + "` is " + datatype + "; entities are INT64 or BYTES");
}

InferRequest parse_infer_request(const std::string &body, const ModelConfig &model) try {
  const json document = json::parse(body);
  InferRequest request;
  request.id = document.value("id", "");
  if (const auto outputs = document.find("outputs"); outputs != document.end())
    for (const json &output : *outputs)
      if (output.at("name") != kOutput) throw BadRequest("no output " + output.at("name").dump() + "; there is `score`");
  const json &inputs = document.at("inputs");
  for (const Entity &entity : model.entities) {
    const auto input = std::find_if(inputs.begin(), inputs.end(), [&](const json &i) { return i.at("name") == entity.name; });
    if (input == inputs.end()) throw BadRequest("the input `" + entity.name + "` is missing");
    request.entities.push_back(entity_column(*input));
    const std::size_t rows = input->at("data").size();
    if (request.entities.size() > 1 && rows != request.rows) throw BadRequest("the inputs have different numbers of rows");
    request.rows = rows;
  }
  if (inputs.size() != model.entities.size()) throw BadRequest("there are inputs that the model does not have");
  if (request.rows == 0) throw BadRequest("there are no rows");
  return request;
} catch (const json::exception &failure) {
  throw BadRequest(std::string("not a request of the Open Inference Protocol: ") + failure.what());
}

std::string infer_response(const InferRequest &request, const ModelConfig &model, const std::vector<float> &scores) {
  json response = {
      {"model_name", model.name},
      {"model_version", kVersion},
      {"outputs", {{{"name", kOutput}, {"datatype", "FP32"}, {"shape", {scores.size()}}, {"data", scores}}}},
  };
  if (!request.id.empty()) response["id"] = request.id;
  return response.dump();
}

std::string server_metadata() {
  return json{{"name", "feast_inference_server"}, {"version", kVersion}, {"extensions", json::array()}}.dump();
}

std::string model_metadata(const ModelConfig &model) {
  json inputs = json::array();
  for (const Entity &entity : model.entities)
    inputs.push_back({{"name", entity.name}, {"datatype", entity.datatype}, {"shape", {-1}}});
  const json outputs = {{{"name", kOutput}, {"datatype", "FP32"}, {"shape", {-1}}}};
  return json{{"name", model.name}, {"versions", {kVersion}}, {"platform", "xgboost"}, {"inputs", inputs}, {"outputs", outputs}}.dump();
}

// An error of Feast's may quote what is no UTF-8.
std::string error_body(const std::string &message) {
  return json{{"error", message}}.dump(-1, ' ', false, json::error_handler_t::replace);
}
