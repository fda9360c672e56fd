// bindings/cpp: calls, once well and once badly; columns.cpp has what answers hold.
// usage: wrapper HEALTHY_URL STALLING_URL
#include "check.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

static feast::Request ask(std::initializer_list<std::int64_t> ids) {
  feast::Request request;
  request.add_feature("v:a").add_feature("v:b", FEAST_TYPE_DOUBLE).set_entity("id", ids).set_timeout_ms(60000);
  return request;
}

// What must not compile does not.
template <typename R, typename = void>
constexpr bool has_int64 = false;
template <typename R>
constexpr bool has_int64<R, std::void_t<decltype(std::declval<R>().int64("a")), decltype(std::declval<R>().int64(0))>> = true;
template <typename R, typename = void>
constexpr bool has_text = false;
template <typename R>
constexpr bool has_text<R, std::void_t<decltype(std::declval<R>().text(0, 0))>> = true;
template <typename R, typename = void>
constexpr bool has_lists = false;
template <typename R>
constexpr bool has_lists<R, std::void_t<decltype(std::declval<R>().float32_lists("a"))>> = true;
template <typename R, typename = void>
constexpr bool has_names = false;
template <typename R>
constexpr bool has_names<R, std::void_t<decltype(std::declval<R>().name(0)), decltype(std::declval<R>().server())>> = true;
template <typename T, typename = void>
constexpr bool may_be_set = false;
template <typename T>
constexpr bool may_be_set<T, std::void_t<decltype(std::declval<feast::Config &>().set("key", std::declval<T>()))>> = true;

static void what_would_dangle_does_not_compile() {
  using feast::Response;
  static_assert(has_int64<Response &> && has_int64<const Response &> && !has_int64<Response> && !has_int64<const Response>);
  static_assert(has_text<const Response &> && !has_text<Response> && has_lists<Response &> && !has_lists<Response>);
  static_assert(has_names<const Response &> && !has_names<Response>);
  static_assert(may_be_set<int> && may_be_set<bool> && may_be_set<std::string> && may_be_set<std::chrono::seconds>);
  static_assert(!may_be_set<std::nullptr_t> && !std::is_convertible_v<int, feast::detail::Text>);
}

static void settings_are_numbers_booleans_and_times() {
  feast::Config config;
  config.set("connection_retries", 0).set("connection_pool_size", 7u).set("merge_check", false);
  config.set("request_timeout_ms", std::chrono::seconds(3)).set("connect_timeout_ms", std::chrono::microseconds(1));
  config.set("auth.token_refresh_margin_seconds", std::chrono::milliseconds(1500)).set("path", "http://localhost:1");
  const feast::Remote remote(config);
  const feast::Error error = thrown([&] { remote.check_health(); });
  CHECK(error.status() == FEAST_CONNECT && error.attempts() == 1);  // no retries: 0 is 0
  CHECK(thrown([&] { config.set("connection_pool_size", -1); }).status() == FEAST_CONFIG);
  CHECK(thrown([&] { config.set("connection_pool_size", std::chrono::seconds(1)); }).status() == FEAST_CONFIG);
  CHECK(std::strstr(thrown([&] { config.set("connect_timeout_ms", std::chrono::seconds(0)); }).what(), "connect_timeout_ms"));
  const char *null = nullptr;
  CHECK(thrown([&] { config.set("path", null); }).status() == FEAST_INVALID_ARGUMENT);
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

static void ranges(const feast::Remote &remote) {
  const std::vector<long long> longs{1, 2};
  const std::vector<short> shorts{1, 2};
  const std::vector<float> floats{0.5f, 1.5f};
  const std::vector<std::string_view> views{"x", std::string_view("yz", 1)};
  const feast::View<std::int64_t> view(reinterpret_cast<const std::int64_t *>(longs.data()), 2);
  feast::Request request;
  request.add_feature("v:a").set_entity("longs", longs).set_entity("shorts", shorts).set_entity("floats", floats);
  request.set_entity("texts", views).set_entity("view", view).set_entity("pair", std::initializer_list<std::int64_t>{1, 2});
  const feast::Response response = remote.get_online_features(request);
  CHECK(response.int64("longs")[1] == 2 && response.int64("shorts")[1] == 2 && response.float64("floats")[1] == 1.5);
  CHECK(response.text("texts", 1) == "y" && response.int64("view")[1] == 2 && response.int64("pair")[1] == 2);
}

static void headers(const feast::Remote &remote) {
  feast::Request request = ask({1});
  request.set_trace_context("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "vendor=1").set_header("X-Request-Id", "7");
  CHECK(remote.get_online_features(request).rows() == 1);
  CHECK(thrown([&] { request.set_trace_context("nonsense"); }).status() == FEAST_INVALID_ARGUMENT);
  CHECK(thrown([&] { request.set_header("Host", "x"); }).status() == FEAST_INVALID_ARGUMENT);
  const std::string body = R"({"features": ["v:a"], "entities": {"id": [1]}})";
  CHECK(remote.get_online_features_json(body).find("feature_names") != std::string::npos);
  feast::Error error;
  CHECK(remote.get_online_features_json(body, std::chrono::milliseconds(-1), &error).empty() && error);
}

static void errors(const feast::Remote &remote) {
  feast::Error error = thrown([] { feast::Config().set("pool", "1"); });
  CHECK(error.status() == FEAST_CONFIG && std::strstr(error.what(), "unknown configuration key") != nullptr);
  error = thrown([] { ask({}).add_feature("no colon"); });
  CHECK(error.status() == FEAST_INVALID_ARGUMENT && error.http_status() == 0 && !error.is_retriable());
  error = thrown([&] { remote.get_online_features(feast::Request()); });
  CHECK(std::strcmp(error.status_name(), "INVALID_ARGUMENT") == 0);
  error = thrown([] { feast::Remote(feast::Config().set("path", "http://localhost:1")).get_online_features(ask({1})); });
  CHECK(error.status() == FEAST_CONNECT && error.timing().attempts == error.attempts() && error.timing().server == error.server());
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
  CHECK(event && event.tag<int>() == &tag && event.status() == FEAST_OK);
  const feast::Response response = event.take_response();
  CHECK(response.int64("a")[0] == 4000);
  call = stalled.get_online_features_async(ask({4}), queue, nullptr);
  CHECK(!queue.poll(0) && queue.fd() >= 0);
  call.cancel();
  event = queue.poll(-1);
  CHECK(thrown([&] { event.take_response(); }).status() == FEAST_CANCELLED);
  feast::Error error;
  CHECK(!event.take_response(&error) && error.status() == FEAST_CANCELLED);
  queue.wake();
  CHECK(!queue.poll(-1) && !queue.poll(std::chrono::microseconds(1)));
  for (std::int64_t id = 0; id < 3; id++) remote.get_online_features_async(ask({id}), queue, nullptr);
  std::size_t events = 0;
  while (events < 3) events += queue.poll_batch(2, std::chrono::seconds(60)).size();
  CHECK(events == 3 && queue.poll_batch(2, 0).empty());
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
    for (std::int64_t id = 0; id < 50; id++) {
      const feast::Response response = answers[std::size_t(id)].get();
      CHECK(response.int64("a")[0] == 1000 * id);
    }
    CHECK(thrown([&] { futures.get_online_features(remote, feast::Request()); }).status() == FEAST_INVALID_ARGUMENT);
    for (int i = 0; i < 3; i++) never.push_back(futures.get_online_features(stalled, ask({1})));
  }
  for (auto &future : never) CHECK(thrown([&] { future.get(); }).status() == FEAST_CANCELLED);
  feast::Futures unused;
}

static void futures_are_cancelled_and_report(const feast::Remote &remote, const feast::Remote &stalled) {
  feast::Futures futures;
  feast::Future<feast::Response> first = futures.get_online_features(stalled, ask({1}));
  auto second = futures.get_online_features(stalled, ask({1}));
  CHECK(first.wait_for(std::chrono::milliseconds(1)) == std::future_status::timeout);
  first.cancel();
  CHECK(thrown([&] { first.get(); }).status() == FEAST_CANCELLED);
  second.cancel();
  feast::Error error;
  CHECK(!second.get(&error) && error.status() == FEAST_CANCELLED);
  CHECK(futures.get_online_features(remote, ask({1})).get(&error).rows() == 1 && !error);
  CHECK(!futures.get_online_features(remote, feast::Request(), &error).valid() && error.status() == FEAST_INVALID_ARGUMENT);
  feast::Frame frame;
  frame.set("id", {1, 2}).set("event_timestamp", {std::chrono::system_clock::time_point{}, std::chrono::system_clock::time_point{}});
  CHECK(futures.push(remote, "source", frame).get().rows == 2);
  CHECK(futures.write_to_online_store(remote, "view", frame).get().requests == 1);
  feast::Future<feast::Response>().cancel();
}

static void closed() {
  const feast::Remote remote(feast::Config().set("path", "http://localhost:1"));
  remote.close();
  CHECK(thrown([&] { remote.check_health(); }).status() == FEAST_CLOSED);
}

static void told() {
  std::vector<std::string> messages;
  {
    feast::Log log(FEAST_LOG_INFO, [&](std::int32_t, std::string_view message) { messages.emplace_back(message); });
    CHECK(thrown([&] { feast::Config().load_yaml("no such file"); }).status() == FEAST_CONFIG);
  }
  CHECK(feast::version_number() >= 1000 && feast::version_string().find("libcurl") != std::string_view::npos);
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
  CHECK(timing.total_us > 0 && timing.rows == 1 && timing.http_status == 200 && timing.server == nullptr);
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
  what_would_dangle_does_not_compile();
  settings_are_numbers_booleans_and_times();
  ranges(remote);
  headers(remote);
  futures_are_cancelled_and_report(remote, stalled);
  closed();
  told();
}
