// include/feast_remote.hpp: everything of it, once well and once badly.
// usage: wrapper HEALTHY_URL STALLING_URL
#include <feast_remote.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#define CHECK(condition)                                                     \
  do {                                                                       \
    if (!(condition)) {                                                      \
      std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);   \
      std::exit(1);                                                          \
    }                                                                        \
  } while (0)

template <typename Call>
static feast::Error thrown(Call &&call) {
  try {
    call();
  } catch (const feast::Error &error) {
    return error;
  }
  CHECK(!"an exception");
  return feast::Error();
}

static feast::Request ask(std::initializer_list<std::int64_t> ids) {
  feast::Request request;
  request.add_feature("v:a").add_feature("v:b", FEAST_TYPE_DOUBLE).set_entity("id", ids).set_timeout_ms(60000);
  return request;
}

static void moves() {
  static_assert(std::is_move_constructible_v<feast::Remote> && !std::is_copy_constructible_v<feast::Remote>);
  static_assert(std::is_move_constructible_v<feast::Response> && !std::is_copy_constructible_v<feast::Response>);
  static_assert(std::is_move_assignable_v<feast::Event> && !std::is_copy_constructible_v<feast::Request>);
  feast::Request first = ask({1}), second = first.clone();
  first = std::move(second);
}

static void overdue(const feast::Remote &remote) {
  for (bool as_deadline : {false, true}) {
    feast::Request request = ask({1});
    as_deadline ? request.set_deadline(std::chrono::steady_clock::now()) : request.set_timeout(std::chrono::microseconds(-1));
    const feast::Error error = thrown([&] { remote.get_online_features(request); });
    CHECK(error.status() == FEAST_TIMEOUT && error.attempts() == 0);
    request.set_timeout(std::chrono::hours(1)).set_deadline(std::chrono::steady_clock::time_point::max());
    CHECK(remote.get_online_features(request).rows() == 1);
  }
}

static void blocking(const feast::Remote &remote) {
  feast::Response response = remote.get_online_features(ask({1, 2, 3}));
  CHECK(response.rows() == 3 && response.columns() == 3 && response.entities() == 1);
  CHECK(std::strcmp(response.name(1), "a") == 0 && response.find("b") == 2u && !response.find("c"));
  std::int64_t sum = 0;
  for (std::int64_t value : response.int64("a")) sum += value;
  CHECK(sum == 6000 && response.int64(0)[2] == 3 && response.float64("b")[1] == 2001);
  CHECK(response.int64("b")[1] == 2001 && response.float64("a")[0] == 1000 && response.type(2) == FEAST_TYPE_DOUBLE);
  CHECK(thrown([&] { response.boolean("b"); }).status() == FEAST_TYPE);
  const feast::Error typo = thrown([&] { response.int64("none"); });
  CHECK(typo.status() == FEAST_INVALID_ARGUMENT && std::strstr(typo.what(), "no column `none`; the answer has a, b, id"));
  CHECK(thrown([&] { response.statuses("none"); }).status() == FEAST_INVALID_ARGUMENT && response.int64(99).empty());
  CHECK(response.statuses("a")[0] == FEAST_STATUS_PRESENT && response.event_timestamps_ns(1).size() == 3);
  CHECK(response.is_valid(1, 2) && !response.is_valid(9, 0));
  float matrix[6], direct[6];
  response.copy_f32(matrix, 2, -1);
  CHECK(remote.get_online_features_into(ask({1, 2, 3}), direct, 2, -1) && std::memcmp(matrix, direct, sizeof direct) == 0);
  CHECK(matrix[3] == 2001 && remote.stats_json().find("\"calls\":2") != std::string::npos);

  remote.set_token("a-token");
  CHECK(thrown([&] { remote.set_token(""); }).status() == FEAST_INVALID_ARGUMENT);
  feast::Request strings;
  strings.add_feature("v:a").set_entity("s", std::vector<std::string>{"x", std::string("\xc3\xbc")}).set_entity_json("j", "[1, 2]");
  response = remote.get_online_features(strings);
  CHECK(response.text(0, 1) == "\xc3\xbc" && response.text(0, 0) == "x");
}

static void braces(const feast::Remote &remote) {
  double lat = 52.52, lon = 13.405;
  int first = 1;
  feast::Request request;
  request.add_feature("v:a")
      .set_entity("flag", {true, false})
      .set_entity("double", {lat, lon})
      .set_entity("int", {first, 2})
      .set_entity("text", {"K\xc3\xb6ln", "Paris"})
      .set_entity("vector", std::vector<bool>{false, true});
  feast::Response response = remote.get_online_features(request);
  CHECK(response.float64("double")[0] == lat && response.float64("double")[1] == lon);
  CHECK(response.int64("int")[0] == 1 && response.int64("int")[1] == 2);
  CHECK(response.text(*response.find("text"), 0) == "K\xc3\xb6ln" && response.text(*response.find("text"), 1) == "Paris");
  CHECK(response.boolean("flag")[0] == 1 && response.boolean("flag")[1] == 0 && response.boolean("vector")[1] == 1);
  const std::int64_t id = 1;
  request.set_entity("int", {id, 2}).set_entity("flag", {short{1}, 2u}).set_entity("vector", {1LL, id});
  response = remote.get_online_features(request);
  CHECK(response.int64("int")[1] == 2 && response.int64("flag")[1] == 2 && response.int64("vector")[1] == 1);
  request.set_entity("int", {});
  const std::string nul("v:a\0z", 5);
  CHECK(thrown([&] { feast::Request().add_feature(nul); }).status() == FEAST_INVALID_ARGUMENT);
  CHECK(thrown([&] { feast::Config().set("path", nul); }).status() == FEAST_INVALID_ARGUMENT);
}

static void errors(const feast::Remote &remote) {
  feast::Error error = thrown([] { feast::Config().set("pool", "1"); });
  CHECK(error.status() == FEAST_CONFIG && std::strstr(error.what(), "unknown configuration key") != nullptr);
  error = thrown([] { ask({}).add_feature("no colon"); });
  CHECK(error.status() == FEAST_INVALID_ARGUMENT && error.http_status() == 0 && !error.is_retriable());
  error = thrown([&] { remote.get_online_features(feast::Request()); });
  CHECK(std::strcmp(error.status_name(), "INVALID_ARGUMENT") == 0);
  feast::Error reported;
  feast::Response response = remote.get_online_features(ask({}), &reported);
  CHECK(!response && reported && reported.attempts() == 0 && response.rows() == 0 && response.int64(0).empty());
  CHECK(!remote.get_online_features_into(ask({}), nullptr, 2, 0, nullptr, &reported));
}

static void queued(const feast::Remote &remote, const feast::Remote &stalled) {
  feast::Queue queue;
  int tag = 7;
  feast::Call call = remote.get_online_features_async(ask({4}), queue, &tag);
  feast::Event event = queue.poll(-1);
  CHECK(event && event.tag<int>() == &tag && event.status() == FEAST_OK && event.take_response().int64("a")[0] == 4000);
  call = stalled.get_online_features_async(ask({4}), queue, nullptr);
  CHECK(!queue.poll(0) && queue.fd() >= 0);
  call.cancel();
  event = queue.poll(-1);
  CHECK(thrown([&] { event.take_response(); }).status() == FEAST_CANCELLED);
  feast::Error error;
  CHECK(!event.take_response(&error) && error.status() == FEAST_CANCELLED);
  queue.wake();
  CHECK(!queue.poll(-1));
}

static void merged(const std::string &url) {
  feast::Config config;
  config.set("path", url).set("merge_max_rows", "64").set("merge_in_flight", "1").set("merge_check", "false");
  feast::Remote remote(config);
  feast::Queue queue;
  std::size_t most = 1;
  for (int round = 0; most == 1 && round < 1000; round++) {
    std::int64_t ids[9];
    for (std::int64_t &id : ids) {
      id = 10 * round + (&id - ids);
      // The last one goes alone.
      remote.get_online_features_async(ask({id}).set_merge(&id != &ids[8]), queue, &id);
    }
    for (std::size_t i = 0; i < 9; i++) {
      feast::Event event = queue.poll(-1);
      feast::Response response = event.take_response();
      CHECK(response.int64("a")[0] == 1000 * *event.tag<std::int64_t>());
      CHECK(event.tag<std::int64_t>() != &ids[8] || response.calls_in_request() == 1);
      most = std::max(most, response.calls_in_request());
    }
  }
  CHECK(most > 1 && feast::Response().calls_in_request() == 0);
}

static void futures(const feast::Remote &remote, const feast::Remote &stalled) {
  std::vector<std::future<feast::Response>> answers, never;
  {
    feast::Futures futures;
    for (std::int64_t id = 0; id < 50; id++) answers.push_back(futures.get_online_features(remote, ask({id})));
    for (std::int64_t id = 0; id < 50; id++) CHECK(answers[std::size_t(id)].get().int64("a")[0] == 1000 * id);
    CHECK(thrown([&] { futures.get_online_features(remote, feast::Request()); }).status() == FEAST_INVALID_ARGUMENT);
    for (int i = 0; i < 3; i++) never.push_back(futures.get_online_features(stalled, ask({1})));
  }
  for (auto &future : never) CHECK(thrown([&] { future.get(); }).status() == FEAST_CANCELLED);
  feast::Futures unused;
}

static void writes(const feast::Remote &remote) {
  const std::chrono::system_clock::time_point then{std::chrono::seconds(1767225600)};
  feast::Frame frame;
  frame.set("id", std::vector<std::int64_t>{1, 2})
      .set("rate", std::vector<std::optional<double>>{0.5, std::nullopt})
      .set("small", std::vector<std::int32_t>{1, 2})
      .set("flag", std::vector<bool>{true, false})
      .set("float", std::vector<std::optional<float>>{std::nullopt, 0.5f})
      .set("city", std::vector<std::optional<std::string>>{"K\xc3\xb6ln", std::nullopt})
      .set("word", std::vector<std::string>{"a", ""})
      .set("vector", std::vector<std::vector<float>>{{1, 2}, {}})
      .set("event_timestamp", std::vector{then, then})
      .set_json("json", "[{}, null]");
  CHECK(frame.rows() == 2);
  feast::Error error;
  CHECK(remote.push("source", frame, FEAST_PUSH_ONLINE | FEAST_PUSH_OFFLINE).rows == 2);
  feast::WriteOptions options;
  options.set_timestamp_field("when").set_repeat_offline(true).set_timeout(std::chrono::seconds(60));
  CHECK(remote.write_to_online_store("view", frame, &options, &error).rows == 0);
  CHECK(error.status() == FEAST_INVALID_ARGUMENT && error.unwritten_rows().size() == 2 && error.doubtful_rows().empty());
  CHECK(thrown([&] { frame.set("id", std::vector<std::int64_t>{1}); }).status() == FEAST_INVALID_ARGUMENT);
  remote.check_health();
  remote.warm_up(2, std::chrono::seconds(60));
  const feast_timing_t timing = remote.get_online_features(ask({1})).timing();
  CHECK(timing.total_us > 0 && timing.rows == 1 && timing.http_status == 200);
  const std::string metrics = feast::stats_prometheus({{"one", &remote}});
  CHECK(metrics.find("feast_remote_writes_total{store=\"one\"} ") != std::string::npos);
  CHECK(thrown([&] { feast::stats_prometheus({{"x", &remote}, {"x", &remote}}); }).status() == FEAST_INVALID_ARGUMENT);

  feast::Queue queue;
  int tag = 0;
  feast::Call call = remote.push_async("source", frame, queue, &tag);
  feast::Event event = queue.poll(60000);
  CHECK(event.tag<int>() == &tag && event.take_written().requests == 1);
  feast::Search search;
  search.add_feature("docs:text").set_top_k(1).set_distance_metric("L2");
  CHECK(thrown([&] { remote.retrieve_online_documents(search); }).status() == FEAST_INVALID_ARGUMENT);
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  feast::Remote remote(feast::Config().set("path", argv[1])), stalled(feast::Config().set("path", argv[2]));
  moves();
  blocking(remote);
  braces(remote);
  overdue(remote);
  errors(remote);
  queued(remote, stalled);
  futures(remote, stalled);
  writes(remote);
  merged(argv[1]);
}
