// bindings/cpp, C++20: calls that are awaited, on one thread and on several.
// usage: coroutines HEALTHY_URL STALLING_URL
#include "check.hpp"

#if FEAST_REMOTE_COROUTINES

#include <thread>

// A coroutine that nobody waits for.
struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

static feast::Request ask(std::int64_t id) {
  feast::Request request;
  request.add_feature("v:a").set_entity("id", {id});
  return request;
}

static Detached sum(const feast::Remote &remote, feast::Executor &executor, std::int64_t id, std::atomic<std::int64_t> &total) {
  for (std::int64_t i = 0; i < 3; i++) {
    const feast::Response response = co_await remote.get_online_features(ask(id), executor);
    total += response.int64("a")[0];
  }
}

static void many_are_awaited(const feast::Remote &remote, int threads) {
  feast::Executor executor;
  std::atomic<std::int64_t> total{0};
  for (std::int64_t id = 0; id < 20; id++) sum(remote, executor, id, total);
  std::vector<std::jthread> running;
  for (int i = 0; i < threads; i++) running.emplace_back([&] { executor.run(); });
  running.clear();
  executor.run();
  CHECK(total == 3 * 1000 * 190);
}

static Detached failing(const feast::Remote &remote, feast::Executor &executor, int &failed) {
  try {
    co_await remote.get_online_features(feast::Request(), executor);
  } catch (const feast::Error &error) {
    failed += error.status() == FEAST_INVALID_ARGUMENT;
  }
  feast::Error error;
  failed += !co_await remote.get_online_features(ask(1).set_timeout(std::chrono::nanoseconds(0)), executor, {}, &error);
  failed += error.status() == FEAST_TIMEOUT;
}

static Detached writing(const feast::Remote &remote, feast::Executor &executor, std::uint64_t &rows) {
  feast::Frame frame;
  frame.set("id", {1, 2}).set("event_timestamp", {feast::Time(), feast::Time()});
  rows += (co_await remote.push("source", frame, executor)).rows;
  rows += (co_await remote.write_to_online_store("view", frame, executor)).rows;
}

static Detached stopped(const feast::Remote &stalled, feast::Executor &executor, std::stop_token stop, int &cancelled) {
  feast::Error error;
  co_await stalled.get_online_features(ask(1), executor, stop, &error);
  cancelled += error.status() == FEAST_CANCELLED;
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  const feast::Remote remote(feast::Config().set("path", argv[1])), stalled(feast::Config().set("path", argv[2]));
  many_are_awaited(remote, 0);
  many_are_awaited(remote, 3);
  feast::Executor executor;
  int failed = 0, cancelled = 0;
  std::uint64_t rows = 0;
  failing(remote, executor, failed);
  writing(remote, executor, rows);
  executor.run();
  CHECK(failed == 3 && rows == 4);

  std::stop_source stop;
  stopped(stalled, executor, stop.get_token(), cancelled);
  CHECK(!executor.run_one(std::chrono::milliseconds(0)) && executor.fd() >= 0);
  stop.request_stop();
  executor.run();
  stopped(stalled, executor, stop.get_token(), cancelled);  // stopped before
  executor.run();
  CHECK(cancelled == 2);
  std::stop_source later;
  stopped(stalled, executor, later.get_token(), cancelled);
  executor.stop();
  executor.run();
  CHECK(cancelled == 2);
  later.request_stop();
  while (cancelled < 3) executor.run_one(std::chrono::seconds(60));
}

#else

int main() {}

#endif
