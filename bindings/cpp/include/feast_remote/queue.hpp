// Where asynchronous calls come back to, for programs with an event loop.
#ifndef FEAST_REMOTE_QUEUE_HPP
#define FEAST_REMOTE_QUEUE_HPP

#include <feast_remote/response.hpp>
#include <feast_remote/write.hpp>

FEAST_REMOTE_BEGIN

// A call under way. Letting it go does not end the call.
class Call {
 public:
  Call() = default;
  explicit Call(feast_call_t *call) : call_(call) {}
  // The call ends soon with FEAST_CANCELLED, or as it has ended already. Any thread.
  void cancel() const noexcept { feast_call_cancel(call_.get()); }

 private:
  detail::Owned<feast_call_t, feast_call_free> call_;
};

// The end of an asynchronous call. For one thread at a time.
class Event {
 public:
  Event() = default;
  explicit Event(feast_event_t *event) : event_(event) {}
  // Whether there is one.
  explicit operator bool() const noexcept { return event_ != nullptr; }
  // What was given with the call.
  template <typename T>
  T *tag() const noexcept {
    return static_cast<T *>(feast_event_tag(event_.get()));
  }
  feast_status_t status() const noexcept { return feast_event_status(event_.get()); }
  // The answer; throws, or reports, why there is none.
  Response take_response(Error *error = nullptr) {
    return succeeded(error) ? Response(feast_event_take_response(event_.get())) : Response();
  }
  // What a write came to; likewise.
  Written take_written(Error *error = nullptr) {
    return succeeded(error) ? detail::written(feast_event_take_write(event_.get())) : Written();
  }

 private:
  bool succeeded(Error *error) const {
    if (const feast_error_t *why = feast_event_error(event_.get())) return detail::refuse(error, Error(why));
    detail::forget(error);
    return true;
  }

  detail::Owned<feast_event_t, feast_event_free> event_;
};

// Where asynchronous calls come back to, of any number of stores. Any thread. Destroying it cancels those under way.
class Queue {
 public:
  explicit Queue(Error *error = nullptr) {
    feast_queue_t *queue = nullptr;
    detail::call(error, [&](feast_error_t **e) { return feast_queue_open(&queue, e); });
    queue_.reset(queue);
  }
  // The next event; waits for one so long, without a limit if that is negative. None after wake(), or if none came in time.
  Event poll(std::int64_t timeout_ms) { return Event(feast_queue_poll(queue_.get(), timeout_ms)); }
  template <typename Rep, typename Period>
  Event poll(std::chrono::duration<Rep, Period> timeout) {
    return poll(detail::milliseconds(timeout));
  }
  // Waits without a limit.
  Event poll() { return poll(std::int64_t{-1}); }
  // Waits likewise for the first one, and takes those that are there with it, `capacity` at most.
  std::vector<Event> poll_batch(std::size_t capacity, std::int64_t timeout_ms) {
    std::vector<feast_event_t *> raw(capacity);
    raw.resize(feast_queue_poll_batch(queue_.get(), timeout_ms, raw.data(), capacity));
    std::vector<Event> events;
    events.reserve(raw.size());
    for (feast_event_t *event : raw) events.emplace_back(event);
    return events;
  }
  template <typename Rep, typename Period>
  std::vector<Event> poll_batch(std::size_t capacity, std::chrono::duration<Rep, Period> timeout) {
    return poll_batch(capacity, detail::milliseconds(timeout));
  }
  // Readable while there are events, for epoll and the like.
  int fd() noexcept { return feast_queue_fd(queue_.get()); }
  // One poll() returns without an event.
  void wake() noexcept { feast_queue_wake(queue_.get()); }
  feast_queue_t *get() const noexcept { return queue_.get(); }
  // Whether it could be opened.
  explicit operator bool() const noexcept { return queue_ != nullptr; }

 private:
  detail::Owned<feast_queue_t, feast_queue_free> queue_;
};

FEAST_REMOTE_END

#endif  // FEAST_REMOTE_QUEUE_HPP
