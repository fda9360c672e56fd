// The shape of a model server's backend, such as Triton's: it is handed a batch of inference requests, each with rows of
// its own, a deadline of its own and a flag by which its client may give up; all of them are fetched at once, and each
// answer is written straight into the buffer that the server will send.
//
//   c++ -std=c++17 triton_like.cpp -lfeast_remote -o triton_like && ./triton_like http://localhost:6566
#include <feast_remote.h>

#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

template <auto free_function>
struct Freed {
  template <typename T>
  void operator()(T *object) const { free_function(object); }
};
using Config = std::unique_ptr<feast_config_t, Freed<feast_config_free>>;
using Remote = std::unique_ptr<feast_remote_t, Freed<feast_close>>;
using Request = std::unique_ptr<feast_request_t, Freed<feast_request_free>>;
using Response = std::unique_ptr<feast_response_t, Freed<feast_response_free>>;
using Queue = std::unique_ptr<feast_queue_t, Freed<feast_queue_free>>;
using Call = std::unique_ptr<feast_call_t, Freed<feast_call_free>>;
using Event = std::unique_ptr<feast_event_t, Freed<feast_event_free>>;

static void check(feast_status_t status, feast_error_t *err) {
  if (status == FEAST_OK) return;
  std::string message = feast_error_message(err);
  feast_error_free(err);
  throw std::runtime_error(message);
}

constexpr const char *kFeatures[] = {"driver_hourly_stats:conv_rate", "driver_hourly_stats:acc_rate"};
constexpr size_t kWidth = 2;

// One client's request, as the server hands it over.
struct Inference {
  std::vector<int64_t> drivers;
  int64_t timeout_ms;
  std::atomic<bool> given_up{false};
  std::vector<float> output;  // the server's: rows x kWidth
  std::string error;
  Call call;
};

class Backend {
 public:
  explicit Backend(const char *url) {
    feast_error_t *err = nullptr;
    Config config(feast_config_new());
    check(feast_config_set(config.get(), "path", url, &err), err);
    feast_remote_t *remote = nullptr;
    check(feast_remote_open(config.get(), &remote, &err), err);
    remote_.reset(remote);
    feast_queue_t *queue = nullptr;
    check(feast_queue_open(&queue, &err), err);
    queue_.reset(queue);
    template_.reset(feast_request_new());
    for (const char *feature : kFeatures)
      check(feast_request_add_typed_feature(template_.get(), feature, FEAST_TYPE_FLOAT, &err), err);
  }

  // Fetches what a batch needs; every request ends with its output filled or its error set.
  void execute(std::vector<Inference> &batch) {
    size_t under_way = 0;
    for (Inference &inference : batch) under_way += begin(inference);
    while (under_way > 0) {
      // Once in a while to see who has given up; a server with a descriptor for that would wait for both.
      Event event(feast_queue_poll(queue_.get(), 5));
      for (Inference &inference : batch)
        if (inference.given_up) feast_call_cancel(inference.call.get());
      if (!event) continue;
      under_way--;
      finish(*static_cast<Inference *>(feast_event_tag(event.get())), event.get());
    }
  }

 private:
  bool begin(Inference &inference) {
    feast_error_t *err = nullptr;
    feast_call_t *call = nullptr;
    try {
      Request request(feast_request_clone(template_.get()));
      check(feast_request_set_entity_int64(request.get(), "driver_id", inference.drivers.data(),
                                           inference.drivers.size(), &err), err);
      check(feast_request_set_timeout_ms(request.get(), inference.timeout_ms, &err), err);
      check(feast_get_online_features_async(remote_.get(), request.get(), queue_.get(), &inference, &call, &err), err);
    } catch (const std::exception &failure) {
      inference.error = failure.what();
      return false;
    }
    inference.call.reset(call);
    return true;
  }

  static void finish(Inference &inference, feast_event_t *event) {
    feast_error_t *err = nullptr;
    Response response(feast_event_take_response(event));
    if (!response) {
      inference.error = feast_error_message(feast_event_error(event));
      return;
    }
    try {
      check(feast_response_copy_f32(response.get(), nullptr, 0, inference.output.data(), kWidth, NAN, nullptr, &err), err);
    } catch (const std::exception &failure) {
      inference.error = failure.what();
    }
  }

  Remote remote_;
  Queue queue_;
  Request template_;
};

int main(int argc, char **argv) try {
  Backend backend(argc > 1 ? argv[1] : "http://localhost:6566");
  std::vector<Inference> batch(8);
  for (size_t i = 0; i < batch.size(); i++) {
    batch[i].drivers = {1001, 1002, int64_t(1003 + i)};
    batch[i].output.resize(batch[i].drivers.size() * kWidth);
    batch[i].timeout_ms = 5000;
  }
  batch[5].timeout_ms = 1;     // too little for any server
  batch[6].given_up = true;    // its client is gone already
  backend.execute(batch);
  for (size_t i = 0; i < batch.size(); i++) {
    if (batch[i].error.empty())
      std::printf("%zu: %.3f %.3f\n", i, batch[i].output[0], batch[i].output[1]);
    else
      std::printf("%zu: %s\n", i, batch[i].error.c_str());
  }
  return 0;
} catch (const std::exception &failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
