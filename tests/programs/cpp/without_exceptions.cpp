// bindings/cpp, compiled with -fno-exceptions -fno-rtti: the same calls, whose errors are reported.
// usage: without_exceptions URL
#include "check.hpp"

#include <cstring>

static_assert(!FEAST_REMOTE_EXCEPTIONS);

int main(int argc, char **argv) {
  CHECK(argc == 2);
  feast::Error error;
  feast::Config wrong;
  wrong.set("no_such_key", 1).set("nor_this", 2);
  CHECK(wrong.error().status() == FEAST_CONFIG && std::strstr(wrong.error().what(), "no_such_key"));
  const feast::Remote none(wrong, &error);
  CHECK(!none && error.status() == FEAST_CONFIG && std::strstr(error.what(), "no_such_key"));

  const feast::Remote remote(feast::Config().set("path", argv[1]), &error);
  CHECK(remote && !error);
  feast::Request request;
  request.add_feature("v:a").set_entity("id", {1, 2}).set_entity("town", {"K\xc3\xb6ln", "Paris"});
  const feast::Response response = remote.get_online_features(request, &error);
  CHECK(response && !error && response.int64("a", &error)[1] == 2000 && response.text("town", 1, &error) == "Paris" && !error);
  CHECK(response.int64("none", &error).empty() && error.status() == FEAST_INVALID_ARGUMENT);
  CHECK(response.text("town", 2, &error).empty() && error);
  CHECK(response.int64("a").at(2, &error) == 0 && error && response.int64("a").at(1, &error) == 2000 && !error);

  request.add_feature("no colon").add_feature("v:b");
  CHECK(!remote.get_online_features(request, &error) && error.status() == FEAST_INVALID_ARGUMENT);
  CHECK(std::strstr(error.what(), "no colon") && std::strcmp(error.what(), request.clone().error().what()) == 0);
  feast::Queue queue(&error);
  remote.get_online_features_async(request, queue, nullptr, &error);
  CHECK(error && !queue.poll(0));
  feast::Frame frame;
  frame.set("id", {1}).set("id", {2});
  CHECK(frame.error() && remote.push("source", frame, FEAST_PUSH_ONLINE, nullptr, &error).rows == 0 && error);
  frame = feast::Frame();
  frame.set("id", {1}).set("event_timestamp", {feast::Time()});
  CHECK(remote.push("source", frame, FEAST_PUSH_ONLINE, nullptr, &error).rows == 1 && !error);

  feast::Futures futures;
  feast::Request question;
  question.add_feature("v:a").set_entity("id", {3});
  feast::Future<feast::Response> future = futures.get_online_features(remote, question);
  const feast::Response answer = future.get(&error);
  CHECK(!error && answer.int64("a")[0] == 3000);
  CHECK(!futures.get_online_features(remote, request, &error).valid() && error);
  future = futures.get_online_features(remote, question.set_timeout(std::chrono::nanoseconds(0)));
  CHECK(!future.get(&error) && error.status() == FEAST_TIMEOUT);
}
