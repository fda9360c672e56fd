// Asks a feature server ten times a second, and serves what there is to see of it on /metrics. Prints its port. A program that has
// an HTTP server already needs of this one line: feast::stats_prometheus({{"drivers", &remote}}).
//
//   c++ -std=c++17 metrics.cpp $(pkg-config --cflags --libs feast_remote) -pthread -o metrics && ./metrics http://localhost:6566
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <feast_remote.hpp>
#include <string>
#include <thread>

static void ask(feast::Remote &remote) {
  feast::Request request;
  request.add_feature("driver_hourly_stats:conv_rate").set_entity("driver_id", {1001});
  for (;; std::this_thread::sleep_for(std::chrono::milliseconds(100))) {
    try {
      remote.get_online_features(request);
    } catch (const feast::Error &error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
  }
}

// One scrape at a time, whatever was asked.
static void serve(int listener, feast::Remote &remote) {
  for (int client; (client = accept(listener, nullptr, nullptr)) >= 0; close(client)) {
    char asked[4096];
    if (read(client, asked, sizeof asked) <= 0) continue;
    const std::string text = feast::stats_prometheus({{"drivers", &remote}});
    const std::string answer =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\nContent-Length: " +
        std::to_string(text.size()) + "\r\n\r\n" + text;
    for (std::size_t sent = 0; sent < answer.size();) {
      const ssize_t count = send(client, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) break;
      sent += static_cast<std::size_t>(count);
    }
  }
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  feast::Remote remote(feast::Config().set("path", argv[1]));
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto *any = reinterpret_cast<sockaddr *>(&address);
  if (listener < 0 || bind(listener, any, size) != 0 || listen(listener, 16) != 0 || getsockname(listener, any, &size) != 0)
    return 1;
  std::printf("%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  std::thread(ask, std::ref(remote)).detach();
  serve(listener, remote);
}
