// An open store.
#ifndef FEAST_REMOTE_REMOTE_HPP
#define FEAST_REMOTE_REMOTE_HPP

#include <feast_remote/config.hpp>
#include <feast_remote/coroutine.hpp>
#include <feast_remote/frame.hpp>
#include <feast_remote/queue.hpp>
#include <feast_remote/request.hpp>
#include <feast_remote/search.hpp>

FEAST_REMOTE_BEGIN

// An open store: a pool of connections to a feature server, or to several. Closed when destroyed. Any number of threads may use it
// at once. Whatever takes an Error * reports there what it would throw, and returns something empty.
class Remote {
 public:
  explicit Remote(const Config &config, Error *error = nullptr) {
    feast_remote_t *remote = nullptr;
    detail::call(error, [&](feast_error_t **e) { return feast_remote_open(config.get(), &remote, e); }, config);
    remote_.reset(remote);
  }
  feast_remote_t *get() const noexcept { return remote_.get(); }
  // Whether it could be opened.
  explicit operator bool() const noexcept { return remote_ != nullptr; }

  // Waits for the answer, until the request's timeout or deadline.
  Response get_online_features(const Request &request, Error *error = nullptr) const {
    feast_response_t *response = nullptr;
    detail::call(error, [&](feast_error_t **e) { return feast_get_online_features(get(), request.get(), &response, e); }, request);
    return Response(response);
  }
  // Straight into a row-major matrix of rows * row_stride floats; false if `error` was reported.
  bool get_online_features_into(const Request &request, float *out, std::size_t row_stride, float missing,
                                std::uint8_t *statuses = nullptr, Error *error = nullptr) const {
    const auto filled = [&](feast_error_t **e) {
      return feast_get_online_features_into_f32(get(), request.get(), out, row_stride, missing, statuses, e);
    };
    return detail::call(error, filled, request);
  }
  // The server's JSON for a JSON body, as both are; a timeout of 0: the store's request_timeout_ms.
  std::string get_online_features_json(std::string_view body, std::chrono::milliseconds timeout = {}, Error *error = nullptr) const {
    char *json = nullptr;
    std::size_t size = 0;
    detail::call(error, [&](feast_error_t **e) {
      return feast_get_online_features_json(get(), body.data() == nullptr ? "" : body.data(), body.size(), timeout.count(), &json,
                                            &size, e);
    });
    return detail::taken(json, size);
  }
  // Does not wait. An event with this tag comes to the queue, unless this throws or reports an error.
  Call get_online_features_async(const Request &request, Queue &queue, void *tag, Error *error = nullptr) const {
    feast_call_t *call = nullptr;
    const auto begun = [&](feast_error_t **e) {
      return feast_get_online_features_async(get(), request.get(), queue.get(), tag, &call, e);
    };
    detail::call(error, begun, request);
    return Call(call);
  }

  // Pushes rows: FEAST_PUSH_ONLINE, FEAST_PUSH_OFFLINE or both. An Error knows the rows that were not written.
  Written push(const detail::Text &push_source, const Frame &frame, feast_push_to_t to = FEAST_PUSH_ONLINE,
               const WriteOptions *options = nullptr, Error *error = nullptr) const {
    feast_write_t *write = nullptr;
    const Options with(options);
    const auto pushed = [&](feast_error_t **e) {
      return feast_push(get(), push_source.c_str(), frame.get(), to, with.get(), &write, e);
    };
    detail::call(error, pushed, push_source, frame, with);
    return detail::written(write);
  }
  Written write_to_online_store(const detail::Text &feature_view, const Frame &frame, const WriteOptions *options = nullptr,
                                Error *error = nullptr) const {
    feast_write_t *write = nullptr;
    const Options with(options);
    const auto wrote = [&](feast_error_t **e) {
      return feast_write_to_online_store(get(), feature_view.c_str(), frame.get(), with.get(), &write, e);
    };
    detail::call(error, wrote, feature_view, frame, with);
    return detail::written(write);
  }
  // Without waiting: an event with this tag comes to the queue, for Event::take_written().
  Call push_async(const detail::Text &push_source, const Frame &frame, Queue &queue, void *tag,
                  feast_push_to_t to = FEAST_PUSH_ONLINE, const WriteOptions *options = nullptr, Error *error = nullptr) const {
    feast_call_t *call = nullptr;
    const Options with(options);
    const auto begun = [&](feast_error_t **e) {
      return feast_push_async(get(), push_source.c_str(), frame.get(), to, with.get(), queue.get(), tag, &call, e);
    };
    detail::call(error, begun, push_source, frame, with);
    return Call(call);
  }
  Call write_to_online_store_async(const detail::Text &feature_view, const Frame &frame, Queue &queue, void *tag,
                                   const WriteOptions *options = nullptr, Error *error = nullptr) const {
    feast_call_t *call = nullptr;
    const Options with(options);
    const auto begun = [&](feast_error_t **e) {
      return feast_write_to_online_store_async(get(), feature_view.c_str(), frame.get(), with.get(), queue.get(), tag, &call, e);
    };
    detail::call(error, begun, feature_view, frame, with);
    return Call(call);
  }
  // The documents nearest to a vector, nearest first: join keys, features and "distance".
  Response retrieve_online_documents(const Search &search, Error *error = nullptr) const {
    feast_response_t *response = nullptr;
    const auto found = [&](feast_error_t **e) { return feast_retrieve_online_documents(get(), search.get(), &response, e); };
    detail::call(error, found, search);
    return Response(response);
  }

#if FEAST_REMOTE_COROUTINES
  // To be awaited: the coroutine goes on where the executor is run. Requests and frames are borrowed until then, which those in the
  // co_await's own line are. A stop request cancels the call.
  auto get_online_features(const Request &request, Executor &executor, std::stop_token stop = {}, Error *error = nullptr) const {
    return awaitable<Response>(
        [remote = get(), &request](feast_queue_t *queue, void *tag, feast_call_t **call, Error *report) {
          const auto begun = [&](feast_error_t **e) {
            return feast_get_online_features_async(remote, request.get(), queue, tag, call, e);
          };
          return detail::call(report, begun, request);
        },
        executor, std::move(stop), error);
  }
  auto push(std::string push_source, const Frame &frame, Executor &executor, feast_push_to_t to = FEAST_PUSH_ONLINE,
            const WriteOptions *options = nullptr, std::stop_token stop = {}, Error *error = nullptr) const {
    return awaitable<Written>(
        [remote = get(), push_source = std::move(push_source), &frame, to, options](feast_queue_t *queue, void *tag,
                                                                                   feast_call_t **call, Error *report) {
          const detail::Text name(push_source);
          const Options with(options);
          const auto begun = [&](feast_error_t **e) {
            return feast_push_async(remote, name.c_str(), frame.get(), to, with.get(), queue, tag, call, e);
          };
          return detail::call(report, begun, name, frame, with);
        },
        executor, std::move(stop), error);
  }
  auto write_to_online_store(std::string feature_view, const Frame &frame, Executor &executor,
                             const WriteOptions *options = nullptr, std::stop_token stop = {}, Error *error = nullptr) const {
    return awaitable<Written>(
        [remote = get(), feature_view = std::move(feature_view), &frame, options](feast_queue_t *queue, void *tag,
                                                                                 feast_call_t **call, Error *report) {
          const detail::Text name(feature_view);
          const Options with(options);
          const auto begun = [&](feast_error_t **e) {
            return feast_write_to_online_store_async(remote, name.c_str(), frame.get(), with.get(), queue, tag, call, e);
          };
          return detail::call(report, begun, name, frame, with);
        },
        executor, std::move(stop), error);
  }
#endif

  // Makes connections before the first call; see feast_remote_warm_up().
  void warm_up(std::size_t connections, std::chrono::milliseconds timeout, Error *error = nullptr) const {
    detail::call(error, [&](feast_error_t **e) { return feast_remote_warm_up(get(), connections, timeout.count(), e); });
  }
  // Throws, or reports, unless the server says that it is well.
  void check_health(Error *error = nullptr) const {
    detail::call(error, [&](feast_error_t **e) { return feast_check_health(get(), e); });
  }
  // The next attempts use this bearer token; see feast_remote_set_token().
  void set_token(const detail::Text &token, Error *error = nullptr) const {
    detail::call(error, [&](feast_error_t **e) { return feast_remote_set_token(get(), token.c_str(), e); }, token);
  }
  // The figures so far; STATISTICS.md lists them. stats_prometheus() has those of several stores.
  std::string stats_json(Error *error = nullptr) const {
    char *json = nullptr;
    std::size_t size = 0;
    detail::call(error, [&](feast_error_t **e) { return feast_stats_json(get(), &json, &size, e); });
    return detail::taken(json, size);
  }
  // Calls under way, and those that come later, end with FEAST_CLOSED. Any thread.
  void close() const noexcept { feast_close(get()); }

 private:
  // Options, or none.
  class Options {
   public:
    explicit Options(const WriteOptions *options) : options_(options) {}
    const feast_write_options_t *get() const noexcept { return options_ == nullptr ? nullptr : options_->get(); }
    bool is_usable() const noexcept { return options_ == nullptr || options_->is_usable(); }
    Error why() const { return options_->why(); }

   private:
    const WriteOptions *options_;
  };

#if FEAST_REMOTE_COROUTINES
  template <typename T, typename Start>
  static detail::Awaitable<T, Start> awaitable(Start start, Executor &executor, std::stop_token stop, Error *error) {
    return {std::move(start), executor, std::move(stop), error};
  }
#endif

  detail::Owned<feast_remote_t, feast_close> remote_;
};

FEAST_REMOTE_END

#endif  // FEAST_REMOTE_REMOTE_HPP
