// Asynchronous calls as std::future, for programs without an event loop.
#ifndef FEAST_REMOTE_FUTURES_HPP
#define FEAST_REMOTE_FUTURES_HPP

#include <feast_remote/remote.hpp>

#include <exception>
#include <future>
#include <mutex>
#include <thread>
#include <unordered_map>

FEAST_REMOTE_BEGIN
namespace detail {

// A call that a future waits for.
class Pending {
 public:
  virtual ~Pending() = default;
  // On the thread of Futures.
  virtual void finish(Event &event) = 0;

  Call call;
};

template <typename T>
class Promised : public Pending {
 public:
  void finish(Event &event) override {
#if FEAST_REMOTE_EXCEPTIONS
    try {
      set(event);
    } catch (...) {
      promise.set_exception(std::current_exception());
    }
#else
    set(event);
#endif
  }

  std::promise<T> promise;
  // Set before the promise is kept.
  Error error;

 private:
  void set(Event &event) {
    T value;
    if constexpr (std::is_same_v<T, Written>)
      value = event.take_written(&error);
    else
      value = event.take_response(&error);
#if FEAST_REMOTE_EXCEPTIONS
    if (error) throw error;
#endif
    promise.set_value(std::move(value));
  }
};

}  // namespace detail

// A std::future, which it converts to, that can end its call: after a wait_for() without success, for instance. Letting it go does
// not end the call.
template <typename T>
class Future : public std::future<T> {
 public:
  Future() = default;
  explicit Future(std::shared_ptr<detail::Promised<T>> promised)
      : std::future<T>(promised->promise.get_future()), promised_(std::move(promised)) {}
  // The call ends soon with FEAST_CANCELLED, or as it has ended already. Any thread.
  void cancel() const noexcept {
    if (promised_) promised_->call.cancel();
  }
  // Waits for what came of the call; throws, or reports, why there is nothing.
  T get(Error *error = nullptr) {
    if (FEAST_REMOTE_EXCEPTIONS && error == nullptr) return std::future<T>::get();
    this->wait();
    if (promised_->error) {
      detail::refuse(error, promised_->error);
      return T();
    }
    detail::forget(error);
    return std::future<T>::get();
  }

 private:
  std::shared_ptr<detail::Promised<T>> promised_;
};

// Asynchronous calls as futures: a queue, and a thread that waits for its events and decodes the answers. Destroying it cancels the
// calls under way. Any number of threads may use it at once, with any number of stores, which may be closed before or after it.
class Futures {
 public:
  Futures() : worker_([this] { work(); }) {}
  Futures(const Futures &) = delete;
  Futures &operator=(const Futures &) = delete;
  ~Futures() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
      for (auto &pending : under_way_) pending.second->call.cancel();
    }
    queue_.wake();
    worker_.join();
  }

  // A call that cannot begin throws, or reports, and there is no future (valid() is false).
  Future<Response> get_online_features(const Remote &remote, const Request &request, Error *error = nullptr) {
    return begin<Response>(
        [&](void *tag, Error *why) { return remote.get_online_features_async(request, queue_, tag, why); }, error);
  }
  Future<Written> push(const Remote &remote, const detail::Text &push_source, const Frame &frame,
                       feast_push_to_t to = FEAST_PUSH_ONLINE, const WriteOptions *options = nullptr, Error *error = nullptr) {
    return begin<Written>(
        [&](void *tag, Error *why) { return remote.push_async(push_source, frame, queue_, tag, to, options, why); }, error);
  }
  Future<Written> write_to_online_store(const Remote &remote, const detail::Text &feature_view, const Frame &frame,
                                        const WriteOptions *options = nullptr, Error *error = nullptr) {
    return begin<Written>(
        [&](void *tag, Error *why) { return remote.write_to_online_store_async(feature_view, frame, queue_, tag, options, why); },
        error);
  }

 private:
  template <typename T, typename Start>
  Future<T> begin(Start &&start, Error *error) {
    auto promised = std::make_shared<detail::Promised<T>>();
    Error why;
    {
      // So that its event finds the call.
      std::lock_guard<std::mutex> lock(mutex_);
      under_way_.emplace(promised.get(), promised);
      promised->call = start(promised.get(), &why);
      if (why) under_way_.erase(promised.get());
    }
    if (why) {
      detail::refuse(error, why);
      return Future<T>();
    }
    detail::forget(error);
    return Future<T>(std::move(promised));
  }

  void work() {
    for (;;) {
      Event event = queue_.poll();
      std::shared_ptr<detail::Pending> ended;
      {
        std::lock_guard<std::mutex> lock(mutex_);
        if (event) {
          const auto pending = under_way_.find(event.tag<void>());
          ended = std::move(pending->second);
          under_way_.erase(pending);
        } else if (stopping_ && under_way_.empty()) {
          return;
        }
        if (stopping_ && under_way_.empty()) queue_.wake();
      }
      if (event) ended->finish(event);
    }
  }

  Queue queue_;
  std::mutex mutex_;
  std::unordered_map<void *, std::shared_ptr<detail::Pending>> under_way_;
  bool stopping_ = false;
  std::thread worker_;
};

FEAST_REMOTE_END

#endif  // FEAST_REMOTE_FUTURES_HPP
