// The library's messages.
#ifndef FEAST_REMOTE_LOG_HPP
#define FEAST_REMOTE_LOG_HPP

#include <feast_remote/detail.hpp>

#include <functional>

FEAST_REMOTE_BEGIN

// Where the messages of the whole process go as long as this object lives, which one at a time may. The function is called from
// several threads at once, and neither throws nor calls this library.
class Log {
 public:
  using Function = std::function<void(std::int32_t level, std::string_view message)>;

  // FEAST_LOG_WARNING, or FEAST_LOG_INFO for both.
  Log(std::int32_t level, Function function) : function_(std::move(function)) { feast_set_log_callback(pass_on, this, level); }
  Log(const Log &) = delete;
  Log &operator=(const Log &) = delete;
  // Afterwards the function is not running and not called again.
  ~Log() { feast_set_log_callback(nullptr, nullptr, FEAST_LOG_WARNING); }

 private:
  static void pass_on(std::int32_t level, const char *message, void *log) noexcept {
    static_cast<const Log *>(log)->function_(level, message);
  }

  Function function_;
};

FEAST_REMOTE_END

#endif  // FEAST_REMOTE_LOG_HPP
