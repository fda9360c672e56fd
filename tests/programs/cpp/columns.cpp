// bindings/cpp: what answers hold. The server repeats entities, so that the question says what comes back.
// usage: columns URL
#include "check.hpp"

#include <cmath>
#include <cstring>
#if __cplusplus >= 202002L
#include <span>
#endif

// dlpack.h's, as far as a matrix needs it.
struct Tensor {
  std::uint32_t major, minor;
  void *context;
  void (*deleter)(DLManagedTensorVersioned *);
  std::uint64_t flags;
  void *data;
  std::int32_t device_type, device_id;
  std::int32_t ndim;
  std::uint8_t code, bits;
  std::uint16_t lanes;
  std::int64_t *shape, *strides;
  std::uint64_t byte_offset;
};

static feast::Response lists(const feast::Remote &remote) {
  feast::Request request;
  request.add_feature("v:a").set_entity("id", {1, 2, 3});
  request.set_entity_json("ints", "[[1, 2], [3], null]").set_entity_json("flags", "[[true], [], [false, null]]");
  request.set_entity_json("texts", "[[\"x\", \"\u00fc\"], [], [\"abc\"]]").set_entity_json("vector", "[[1, 2.5], null, [3, 4]]");
  request.set_entity_json("doubles", "[[0.5], [1.5], [2.5]]").set_entity_json("seconds", "[[1767225600], [], []]");
  request.set_entity_json("small", "[[1, 2, 3], [4], [5]]");
  request.declare_column("vector", FEAST_TYPE_FLOAT_LIST, 2).declare_column("small", FEAST_TYPE_INT32_LIST);
  request.declare_column("seconds", FEAST_TYPE_UNIX_TIMESTAMP_LIST);
  return remote.get_online_features(request);
}

static void lists_are_ragged_or_of_one_width(const feast::Remote &remote) {
  const feast::Response response = lists(remote);
  const auto by = [&](const char *name) { return *response.find(name); };
  for (const feast::Lists<std::int64_t> &ints : {response.int64_lists("ints"), response.int64_lists(by("ints"))}) {
    CHECK(ints.size() == 3 && ints[0].size() == 2 && ints[0][1] == 2 && ints[1][0] == 3 && ints[2].empty() && !ints.width());
    std::int64_t sum = 0;
    for (const feast::View<std::int64_t> list : ints)
      for (const std::int64_t item : list) sum += item;
    CHECK(sum == 6 && ints.items().size() == 3 && ints.offsets()[3] == 3 && ints.at(1)[0] == 3);
    CHECK(thrown([&] { ints.at(3); }).status() == FEAST_INVALID_ARGUMENT);
  }
  CHECK(!response.is_valid("ints", 2) && response.validity("ints").has_nulls() && response.validity("ints")[1]);
  for (const feast::Lists<float> &vectors : {response.float32_lists("vector"), response.float32_lists(by("vector"))})
    CHECK(vectors.width() == 2u && vectors[0][1] == 2.5f && vectors[1].empty() && vectors[2][1] == 4.f);
  for (const feast::TextLists &texts : {response.text_lists("texts"), response.text_lists(by("texts"))}) {
    CHECK(texts[0].size() == 2 && texts[0][1] == "\u00fc" && texts[1].empty() && texts[2][0] == "abc" && texts.items().size() == 3);
    std::string all;
    for (const feast::Texts row : texts)
      for (const std::string_view text : row) all += text;
    CHECK(all == "x\u00fc\x61\x62\x63");
  }
  const feast::Lists<std::uint8_t> flags = response.boolean_lists("flags");
  CHECK(flags[0][0] == 1 && flags.items().size() == 3 && flags.item_validity()[1] && !flags.item_validity()[2]);
  CHECK(response.boolean_lists(by("flags")).size() == 3 && response.float64_lists("doubles")[2][0] == 2.5);
  CHECK(response.float64_lists(by("doubles")).width() == 1u && response.int32_lists("small")[0][2] == 3);
  CHECK(response.int32_lists(by("small"))[2][0] == 5 && response.int64_lists(by("seconds"))[0][0] == 1767225600);
  CHECK(response.int64_lists(by("vector")).empty() && response.text_lists(by("ints")).empty() && response.int32_lists(99).empty());
  CHECK(thrown([&] { response.float32_lists("texts"); }).status() == FEAST_WRONG_TYPE);
  feast::Error error;
  CHECK(response.text_lists("ints", &error).empty() && error.status() == FEAST_WRONG_TYPE);
  CHECK(response.int64_lists("none", &error).empty() && error.status() == FEAST_INVALID_ARGUMENT);
}

static void beyond_the_last_row_is_an_error_or_nothing(const feast::Remote &remote) {
  feast::Request request;
  request.add_feature("v:a").set_entity("s", {"x", "yz", ""}).set_entity_json("nulls", "[1, null, 3]");
  feast::Response response = remote.get_online_features(request);
  const std::size_t column = *response.find("s");
  for (const std::size_t row : {std::size_t{3}, std::size_t{1} << 40, SIZE_MAX}) {
    CHECK(thrown([&] { response.text("s", row); }).status() == FEAST_INVALID_ARGUMENT);
    CHECK(thrown([&] { response.text(column, row); }).status() == FEAST_INVALID_ARGUMENT);
    CHECK(thrown([&] { response.int64("nulls").at(row); }).status() == FEAST_INVALID_ARGUMENT);
    CHECK(!response.is_valid("nulls", row) && !response.is_valid(*response.find("nulls"), row) && !response.is_valid("a", row));
    CHECK(!response.event_time("a", row));
    feast::Error error;
    CHECK(response.text(column, row, &error).empty() && error && response.texts("s").at(row, &error).empty() && error);
  }
  CHECK(response.to_json() == R"({"s":["x","yz",""],"nulls":[1,null,3],"a":[1000,0,3000]})");
  CHECK(response.is_valid("nulls", 0) && !response.is_valid("nulls", 1) && response.is_valid("nulls", 2));
  CHECK(response.text("s", 1) == "yz" && response.text(column, 2).empty() && response.texts("s").size() == 3);
  feast::Error error;
  CHECK(response.text("a", 0, &error).empty() && error.status() == FEAST_WRONG_TYPE);
  CHECK(response.texts(99, &error).empty() && error && response.statuses("none", &error).empty() && error);
  CHECK(!response.is_valid("none", 0, &error) && error && response.int64("none", &error).empty() && error);
  response = feast::Response();
  CHECK(response.to_json(&error).empty() && error.status() == FEAST_INVALID_ARGUMENT);
  CHECK(!response.is_valid(0, 0) && response.texts("s", &error).empty() && error);
  CHECK(thrown([&] { response.text(0, 0); }).status() == FEAST_INVALID_ARGUMENT);
}

static void times(const feast::Remote &remote) {
  feast::Request request;
  request.add_feature("v:a").set_entity("id", {1}).set_entity("at", {1767225600}).declare_column("at", FEAST_TYPE_UNIX_TIMESTAMP);
  const feast::Response response = remote.get_online_features(request);
  CHECK(response.int64("at")[0] == 1767225600 && response.type(*response.find("at")) == FEAST_TYPE_UNIX_TIMESTAMP);
  const std::optional<feast::Time> at = response.event_time("a", 0);
  CHECK(at && at->time_since_epoch() == std::chrono::seconds(1795395600));
  CHECK(response.event_timestamps_ns("a")[0] == 1795395600'000'000'000);
  request.set_max_age(std::chrono::milliseconds(0), true);
  const feast::Response old = remote.get_online_features(request);
  const bool is_old = std::chrono::system_clock::now() > *at;
  CHECK((old.statuses("a")[0] == FEAST_FIELD_STATUS_OUTSIDE_MAX_AGE) == is_old && old.is_valid("a", 0) != is_old);
  request.set_view_max_age("v", std::chrono::hours(24 * 365 * 100));
  CHECK(remote.get_online_features(request).is_valid("a", 0));
}

static void matrices(const feast::Remote &remote) {
  feast::Request request;
  request.add_feature("v:a", FEAST_TYPE_INT64).add_feature("v:b").set_entity("id", {1, 2}).set_missing_value("v:a", -5);
  CHECK(request.matrix_width() == 2);
  const feast::Response response = remote.get_online_features(request);
  CHECK(response.matrix_width() == 2 && response.matrix_width({"b"}) == 1 && response.matrix_width({"none"}) == 0);
  double doubles[4];
  std::int64_t integers[5] = {0, 0, 7, 0, 0};
  float floats[2];
  std::uint8_t statuses[4];
  CHECK(response.copy_f64(doubles, 2, NAN, statuses) && doubles[3] == 2001 && statuses[3] == FEAST_FIELD_STATUS_PRESENT);
  CHECK(response.copy_i64(integers, 3, -1) && integers[4] == 2001 && integers[2] == 7);
  CHECK(response.copy_f32({"b"}, floats, 1, -1) && floats[1] == 2001);
  CHECK(response.copy_f64({"b", "a"}, doubles, 2, -1) && doubles[0] == 1001 && response.copy_i64({"a"}, integers, 1, -1));
  feast::Error error;
  CHECK(!response.copy_f32({"none"}, floats, 1, -1, nullptr, &error) && error.status() == FEAST_INVALID_ARGUMENT);
  std::vector<float> room(4), too_small(3);
  std::vector<double> wide(4);
  std::vector<std::int64_t> whole(4);
  CHECK(response.copy_f32(room, 2, -1) && room[3] == 2001 && response.copy_f64(wide, 2, -1) && response.copy_i64(whole, 2, -1));
  CHECK(thrown([&] { response.copy_f32(too_small, 2, -1); }).status() == FEAST_INVALID_ARGUMENT);
  CHECK(!response.copy_f32(room, 3, -1, nullptr, &error) && error);

  feast::Tensor tensor = response.to_dlpack(-1);
  Tensor matrix;
  std::memcpy(&matrix, tensor.get(), sizeof matrix);
  CHECK(matrix.major == 1 && matrix.ndim == 2 && matrix.shape[1] == 2 && static_cast<float *>(matrix.data)[3] == 2001);
  feast::Tensor one = response.to_dlpack({"b"}, -1);
  matrix.deleter(one.release());
  CHECK(!response.to_dlpack({"none"}, -1, &error) && error);

  request.add_list_feature("v:c", FEAST_TYPE_FLOAT_LIST, 8);
  CHECK(request.matrix_width() == 10);
}

static void arrow(const feast::Remote &remote) {
  feast::RecordBatch batch, moved, full;
  {
    feast::Request request;
    request.add_feature("v:a").set_entity("id", {1, 2});
    const feast::Response response = remote.get_online_features(request);
    batch = response.export_arrow();
    full = response.export_arrow_full();
  }
  CHECK(batch && batch.array.length == 2 && batch.schema.n_children == 2 && full.schema.n_children == 4);
  CHECK(static_cast<const std::int64_t *>(batch.array.children[1]->buffers[1])[1] == 2000);
  moved = std::move(batch);
  CHECK(moved && !batch);
  feast::Frame frame = feast::Frame::import_arrow(&moved.array, &moved.schema);
  CHECK(frame.rows() == 2 && !moved);
  feast::Error error;
  CHECK(feast::Frame::import_arrow(&moved.array, &moved.schema, &error).rows() == 0 && error);
}

static void frames() {
  using Doubles = std::vector<double>;
  const std::int64_t integers[] = {1, 2};
  const std::int32_t small[] = {1, 2};
  const float floats[] = {1, 2};
  const bool flags[] = {true, false};
  const std::uint8_t first = 1;
  feast::Frame frame;
  frame.set("a", integers, 2, &first).set("b", small, 2).set("c", floats, 2).set("d", flags, 2).set_timestamps_ns("e", integers, 2);
  frame.set("f", std::vector<std::vector<double>>{{1}, {}}).set("g", std::vector<std::optional<Doubles>>{Doubles{1, 2}, std::nullopt});
  frame.set("h", std::vector<std::vector<std::string>>{{"x", ""}, {"y"}}).set("i", std::vector<std::vector<std::string_view>>{{"x"}, {}});
  frame.set("j", std::vector<std::vector<int>>{{1}, {2, 3}}).set("k", std::vector<std::optional<bool>>{true, std::nullopt});
  frame.set("l", std::vector<long long>{1, 2}).set("m", std::vector<unsigned>{1, 2}).set("n", std::vector<short>{1, 2});
  frame.set("o", {"x", "y"}).set("p", {0.5, 1.5}).set("q", std::vector<std::string_view>{"x", "y"});
  frame.set("r", std::vector<std::optional<feast::Time>>{feast::Time(), std::nullopt});
  CHECK(frame.rows() == 2);
  const std::string nul("a\0b", 3);
  CHECK(thrown([&] { frame.set("s", std::vector<std::vector<std::string>>{{nul}, {}}); }).status() == FEAST_INVALID_ARGUMENT);
}

static void spans(const feast::Remote &remote) {
#if __cplusplus >= 202002L
  const std::int64_t ids[] = {1, 2};
  feast::Request request;
  request.add_feature("v:a").set_entity("id", std::span(ids));
  const feast::Response response = remote.get_online_features(request);
  const std::span<const std::int64_t> values = response.int64("a");
  float floats[2];
  CHECK(values.size() == 2 && values[1] == 2000 && response.copy_f32(std::span(floats), 1, -1) && floats[1] == 2000);
  feast::Frame().set("id", std::span(ids)).set("value", values);
  static_assert(std::ranges::borrowed_range<feast::View<double>> && std::ranges::view<feast::View<float>>);
#else
  (void)remote;
#endif
}

// A server that takes request data as the Go server does, and answers with it: X with X_back.
static void request_data(const std::string &url) {
  const feast::Remote remote(feast::Config().set("path", url).set("server", "go"));
  const std::int64_t integers[] = {1, 2};
  const double numbers[] = {0.5, 1.5};
  const int first = 7;
  feast::Request request;
  for (const char *name : {"int", "ints", "double", "floats", "flag", "flags", "text", "texts", "shorts", "json"})
    request.add_feature("v:" + std::string(name) + "_back");
  request.set_entity("id", {1, 2}).set_request_data("int", integers, 2).set_request_data("ints", {first, 2L});
  request.set_request_data("double", numbers, 2).set_request_data("floats", std::vector<float>{2.5f, 3.5f});
  request.set_request_data("flag", {true, false}).set_request_data("flags", std::vector<bool>{false, true});
  request.set_request_data("text", {"K\xc3\xb6ln", ""}).set_request_data("texts", std::vector<std::string_view>{"x", "yz"});
  request.set_request_data("shorts", std::vector<short>{3, 4}).set_request_data_json("json", "[[1], null]");
  const feast::Response response = remote.get_online_features(request);
  CHECK(response.entities() == 1 && response.columns() == 11);
  CHECK(response.int64("int_back")[1] == 2 && response.int64("ints_back")[0] == 7);
  CHECK(response.float64("double_back")[1] == 1.5 && response.float64("floats_back")[0] == 2.5);
  CHECK(response.boolean("flag_back")[0] == 1 && response.boolean("flags_back")[0] == 0 && response.boolean("flags_back")[1] == 1);
  CHECK(response.text("text_back", 0) == "K\xc3\xb6ln" && response.text("text_back", 1).empty());
  CHECK(response.text("texts_back", 1) == "yz" && response.int64("shorts_back")[1] == 4);
  CHECK(response.int64_lists("json_back")[0][0] == 1 && !response.is_valid("json_back", 1));
  CHECK(thrown([&] { request.set_request_data("double", {1.0, HUGE_VAL}); }).status() == FEAST_INVALID_ARGUMENT);
  CHECK(thrown([&] { request.set_request_data_json("json", "{"); }).status() == FEAST_INVALID_ARGUMENT);
  CHECK(thrown([&] { remote.get_online_features(request.set_request_data("int", {1})); }).status() == FEAST_INVALID_ARGUMENT);

  CHECK(response.feature_views().empty() && feast::Response().feature_views().empty());
  request.set_request_data("int", {1, 2}).set_include_feature_view_version_metadata(true);
  const std::vector<feast::FeatureViewVersion> views = remote.get_online_features(request).feature_views();
  CHECK(views.size() == 2 && views[0].name == "v" && views[0].version == 3 && views[1].name == "w" && views[1].version == 0);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  const feast::Remote remote(feast::Config().set("path", argv[1]));
  lists_are_ragged_or_of_one_width(remote);
  beyond_the_last_row_is_an_error_or_nothing(remote);
  times(remote);
  matrices(remote);
  arrow(remote);
  frames();
  spans(remote);
  request_data(argv[1]);
}
