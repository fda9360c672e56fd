// feast_remote_client.c over the C++ header, blocking calls alone:
//   feast_remote_client BASE_URL ROWS FEATURES REQUESTS THREADS
#include <feast_remote.hpp>

#include "measure.h"

#include <cstdio>
#include <string>
#include <thread>
#include <vector>

int main(int argc, char **argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: %s BASE_URL ROWS FEATURES REQUESTS THREADS\n", argv[0]);
    return 2;
  }
  const int rows = std::stoi(argv[2]), features = std::stoi(argv[3]), threads = std::stoi(argv[5]);
  const int each = std::stoi(argv[4]) / threads;
  feast::Remote remote(feast::Config().set("path", argv[1]).set("connection_pool_size", "64"));
  feast::Request request;
  char name[32];
  for (int i = 0; i < features; i++) {
    std::snprintf(name, sizeof name, "stats:feature_%03d", i);
    request.add_feature(name);
  }
  std::vector<std::int64_t> ids;
  for (int i = 0; i < rows; i++) ids.push_back(1000 + i);
  request.set_entity("driver_id", ids);

  std::vector<double> latencies(static_cast<std::size_t>(each * threads));
  std::vector<std::thread> running;
  std::vector<int> errors(static_cast<std::size_t>(threads));
  const double start = now(), cpu_start = cpu();
  for (int t = 0; t < threads; t++)
    running.emplace_back([&, t] {
      for (int i = 0; i < each; i++) {
        const double called = now();
        try {
          remote.get_online_features(request);
        } catch (const feast::Error &error) {
          if (errors[static_cast<std::size_t>(t)]++ == 0) std::fprintf(stderr, "%s\n", error.what());
        }
        latencies[static_cast<std::size_t>(t * each + i)] = now() - called;
      }
    });
  for (std::thread &thread : running) thread.join();
  const double seconds = now() - start, cpu_seconds = cpu() - cpu_start;
  int failed = 0;
  for (int count : errors) failed += count;
  report("cpp-feast_remote", threads, each * threads, latencies.data(), seconds, cpu_seconds, failed);
  return failed != 0;
}
