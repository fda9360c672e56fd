// An inference server of the Open Inference Protocol whose clients send entities, and not features: it fetches those from Feast.
//
//   FEAST_URL=http://localhost:6566 inference_server MODEL_FOLDER FEATURE_STORE_YAML [PORT [DRAIN_SECONDS]]
//
// It prints the port it listens on; 0, the default, takes a free one. SIGTERM and SIGINT drain it: it says that it is not ready,
// goes on for DRAIN_SECONDS (2) so that whoever sends requests can notice, answers what is under way, and ends.
#include <httplib.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "features.hpp"
#include "metrics.hpp"
#include "model.hpp"
#include "protocol.hpp"

using Clock = std::chrono::steady_clock;

// Envoy, and with it Istio and KServe, tells a server by this header how long its client is going to wait.
static constexpr const char *kTimeoutHeader = "x-envoy-expected-rq-timeout-ms";
static constexpr long kTimeoutMs = 1000, kTimeoutMsMax = 60000;
// cpp-httplib keeps a thread for each connection; further connections wait.
static constexpr std::size_t kConnections = 512;

class InferenceServer {
 public:
  InferenceServer(const std::string &model_folder, const std::string &feature_store_yaml)
      : config_(ModelConfig::load(model_folder)),
        model_(config_.file),
        features_(config_, feature_store_yaml),
        metrics_(config_.features) {
    http_.new_task_queue = [] { return new httplib::ThreadPool(kConnections); };
    http_.set_tcp_nodelay(true);
    http_.set_keep_alive_max_count(SIZE_MAX);
    http_.set_payload_max_length(8 << 20);
    http_.Get("/v2/health/live", [](auto &, auto &) {});
    http_.Get("/v2/health/ready", [this](auto &, auto &response) { response.status = ready() ? 200 : 503; });
    http_.Get("/v2", [](auto &, auto &response) { response.set_content(server_metadata(), "application/json"); });
    http_.Get("/metrics", [this](auto &, auto &response) {
      response.set_content(metrics_.prometheus() + features_.prometheus(), "text/plain; version=0.0.4");
    });
    http_.Get("/v2/models/([^/]+)", [this](auto &request, auto &response) {
      if (known(request, response)) response.set_content(model_metadata(config_), "application/json");
    });
    http_.Get("/v2/models/([^/]+)/ready", [this](auto &request, auto &response) {
      if (known(request, response)) response.status = ready() ? 200 : 503;
    });
    http_.Post("/v2/models/([^/]+)/infer", [this](auto &request, auto &response) {
      if (known(request, response)) infer(request, response);
    });
    http_.set_post_routing_handler([this](auto &, auto &response) {
      if (draining_) response.set_header("Connection", "close");
    });
  }

  int bind(int port) { return port == 0 ? http_.bind_to_any_port("0.0.0.0") : http_.bind_to_port("0.0.0.0", port) ? port : -1; }
  // Returns when the server was drained and the last request answered.
  void serve() { http_.listen_after_bind(); }
  void drain(std::chrono::seconds time) {
    draining_ = true;
    std::this_thread::sleep_for(time);
    http_.stop();
  }

 private:
  // Ready once Feast was reached. Feast's later troubles are told by the answers: a server that says it is not ready would be cut
  // off, together with all others.
  bool ready() {
    if (!reached_) {
      try {
        features_.check_health();
        reached_ = true;
      } catch (const std::exception &failure) {
        std::fprintf(stderr, "not ready: %s\n", failure.what());
      }
    }
    return reached_ && !draining_;
  }

  bool known(const httplib::Request &request, httplib::Response &response) const {
    if (request.matches[1] == config_.name) return true;
    fail(response, 404, "no model `" + request.matches[1].str() + "`");
    return false;
  }

  static void fail(httplib::Response &response, int status, const std::string &message) {
    response.status = status;
    response.set_content(error_body(message), "application/json");
    if (status == 503) response.set_header("Retry-After", "1");
  }

  static CallContext context(const httplib::Request &request, Clock::time_point start) {
    long timeout_ms = std::strtol(request.get_header_value(kTimeoutHeader).c_str(), nullptr, 10);
    if (timeout_ms <= 0) timeout_ms = kTimeoutMs;
    return {start + std::chrono::milliseconds(std::min(timeout_ms, kTimeoutMsMax)), request.get_header_value("traceparent"),
            request.get_header_value("tracestate")};
  }

  void infer(const httplib::Request &http, httplib::Response &response) {
    const Clock::time_point start = Clock::now();
    metrics_.begin();
    response.status = 200;
    try {
      const InferRequest request = parse_infer_request(http.body, config_);
      const FeatureMatrix matrix = features_.fetch(request.entities, request.rows, context(http, start));
      metrics_.scored(matrix);
      response.set_content(infer_response(request, config_, model_.predict(matrix)), "application/json");
    } catch (const BadRequest &mistake) {
      fail(response, 400, mistake.what());
    } catch (const FeatureError &failure) {
      fail(response, failure.http_status, failure.what());
    } catch (const std::exception &failure) {
      fail(response, 500, failure.what());
    }
    metrics_.end(response.status, Clock::now() - start);
  }

  ModelConfig config_;
  Model model_;
  Features features_;
  Metrics metrics_;
  std::atomic<bool> reached_{false}, draining_{false};
  httplib::Server http_;
};

int main(int argc, char **argv) try {
  if (argc < 3) {
    std::fprintf(stderr, "usage: inference_server MODEL_FOLDER FEATURE_STORE_YAML [PORT [DRAIN_SECONDS]]\n");
    return 2;
  }
  // Before there are threads: all inherit the mask, and the signals wait for sigwait().
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  InferenceServer server(argv[1], argv[2]);
  const int port = server.bind(argc > 3 ? std::atoi(argv[3]) : 0);
  if (port < 0) throw std::runtime_error(std::string("port ") + argv[3] + " is not free");
  std::printf("%d\n", port);
  std::fflush(stdout);
  std::thread serving([&] { server.serve(); });
  int signal = 0;
  sigwait(&signals, &signal);
  server.drain(std::chrono::seconds(argc > 4 ? std::atoi(argv[4]) : 2));
  serving.join();
  return 0;
} catch (const std::exception &failure) {
  std::fprintf(stderr, "inference_server: %s\n", failure.what());
  return 1;
}
