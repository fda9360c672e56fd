// Calls that are awaited, where C++20's coroutines are:
//
//   feast::Executor executor;
//   ... in a coroutine: feast::Response response = co_await remote.get_online_features(request, executor);
//   ... in main, or a thread: executor.run();
#ifndef FEAST_REMOTE_COROUTINE_HPP
#define FEAST_REMOTE_COROUTINE_HPP

#include <feast_remote/queue.hpp>

#if defined(__cpp_impl_coroutine) && defined(__cpp_lib_coroutine) && defined(__cpp_lib_jthread)
#define FEAST_REMOTE_COROUTINES 1

#include <atomic>
#include <coroutine>
#include <memory>
#include <mutex>
#include <stop_token>

FEAST_REMOTE_BEGIN
namespace detail {

// What waits for an event.
struct Awaiting {
  Event event;
  std::coroutine_handle<> coroutine;
};

}  // namespace detail

// Resumes the coroutines whose calls have ended, on the threads that run it. Any number of them may. It must outlive its calls: a
// coroutine whose call is under way when it is destroyed is never resumed.
class Executor {
 public:
  explicit Executor(Error *error = nullptr) : queue_(error) {}
  // Resumes one coroutine; waits so long for one whose call has ended. False if there was none.
  template <typename Rep, typename Period>
  bool run_one(std::chrono::duration<Rep, Period> timeout) {
    return resume(queue_.poll(timeout));
  }
  // Resumes coroutines until no call is under way, or stop() has been called. If a coroutine throws out of itself, so does this.
  void run() {
    ++running_;
    while (!stopped_ && under_way_ != 0) resume(queue_.poll());
    if (--running_ != 0) queue_.wake();  // the next of several threads
  }
  // Ends run() soon, now and later. Any thread.
  void stop() noexcept {
    stopped_ = true;
    queue_.wake();
  }
  // Readable while run_one() has something to do, for epoll and the like.
  int fd() noexcept { return queue_.fd(); }

  // For the calls alone.
  feast_queue_t *begin_call() noexcept {
    ++under_way_;
    return queue_.get();
  }
  void call_refused() noexcept { --under_way_; }

 private:
  bool resume(Event event) {
    auto *awaiting = event.tag<detail::Awaiting>();
    if (awaiting == nullptr) return false;
    awaiting->event = std::move(event);
    // Afterwards, since the coroutine may begin another call.
    const Ended ended{under_way_};
    awaiting->coroutine.resume();
    return true;
  }

  struct Ended {
    std::atomic<std::size_t> &under_way;
    ~Ended() { --under_way; }
  };

  Queue queue_;
  std::atomic<std::size_t> under_way_{0}, running_{0};
  std::atomic<bool> stopped_{false};
};

namespace detail {

// Cancels a call when a token says so, whichever comes first.
class Stopping {
 public:
  void begun(Call call) {
    std::lock_guard<std::mutex> lock(mutex_);
    call_ = std::move(call);
    if (stopped_) call_.cancel();
  }
  void stop() {
    std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
    call_.cancel();
  }

 private:
  std::mutex mutex_;
  bool stopped_ = false;
  Call call_;
};

// A call to be awaited. `start` begins it: bool(feast_queue_t *, void *tag, feast_call_t **, Error *), false if it could not.
template <typename T, typename Start>
class [[nodiscard]] Awaitable {
 public:
  Awaitable(Start start, Executor &executor, std::stop_token stop, Error *report)
      : start_(std::move(start)), executor_(&executor), stop_(std::move(stop)), report_(report) {}
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> coroutine) {
    awaiting_.coroutine = coroutine;
    // Once it has begun, another thread may resume the coroutine, and this object be gone.
    std::shared_ptr<Stopping> stopping;
    if (stop_.stop_possible()) {
      stopping = std::make_shared<Stopping>();
      on_stop_.emplace(stop_, Stop{stopping});
    }
    Executor *const executor = executor_;
    feast_call_t *call = nullptr;
    // Its own error is for a call that was refused: that of one that has begun is written by the thread that resumes it.
    Error refused;
    if (!start_(executor->begin_call(), &awaiting_, stopping ? &call : nullptr, &refused)) {
      executor->call_refused();
      refused_ = std::move(refused);
      return false;
    }
    if (stopping) stopping->begun(Call(call));
    return true;
  }
  T await_resume() {
    on_stop_.reset();
    if (refused_) {
      refuse(report_, refused_);
      return T();
    }
    if constexpr (std::is_same_v<T, Written>)
      return awaiting_.event.take_written(report_);
    else
      return awaiting_.event.take_response(report_);
  }

 private:
  struct Stop {
    std::shared_ptr<Stopping> stopping;
    void operator()() const { stopping->stop(); }
  };

  Start start_;
  Executor *executor_;
  std::stop_token stop_;
  Error *report_;
  Awaiting awaiting_;
  std::optional<std::stop_callback<Stop>> on_stop_;
  Error refused_;
};

}  // namespace detail
FEAST_REMOTE_END

#else
#define FEAST_REMOTE_COROUTINES 0
#endif

#endif  // FEAST_REMOTE_COROUTINE_HPP
