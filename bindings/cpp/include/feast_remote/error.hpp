// Why something failed, and how that is told.
//
// With exceptions: whatever fails throws feast::Error. What takes a feast::Error * reports there instead, and throws nothing.
//
// Without them (-fno-exceptions): pass a feast::Error * to whatever takes one. Setters of Config, Request, Frame, WriteOptions and
// Search take none, so that they can be chained: the object keeps the first error, error() has it, and the call that the object
// is given to reports it. A failure that nobody takes ends the program, as in the standard library.
#ifndef FEAST_REMOTE_ERROR_HPP
#define FEAST_REMOTE_ERROR_HPP

#include <feast_remote.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#ifdef __cpp_exceptions
#define FEAST_REMOTE_EXCEPTIONS 1
#define FEAST_REMOTE_BEGIN namespace feast {
#define FEAST_REMOTE_END }
#else
// Under other symbols, so that a program may have files of both kinds.
#define FEAST_REMOTE_EXCEPTIONS 0
#define FEAST_REMOTE_BEGIN \
  namespace feast {        \
  inline namespace without_exceptions {
#define FEAST_REMOTE_END \
  }                      \
  }
#endif

FEAST_REMOTE_BEGIN

// Why a call failed; what() is the message.
class Error : public std::runtime_error {
 public:
  // No error: a place for one to be reported to.
  Error() : std::runtime_error("") {}
  // Copies from a C error, which stays its owner's.
  explicit Error(const feast_error_t *error)
      : std::runtime_error(feast_error_message(error)),
        status_(feast_error_code(error)),
        http_status_(feast_error_http_status(error)),
        attempts_(feast_error_attempts(error)),
        retriable_(feast_error_is_retriable(error)),
        rows_written_(feast_error_rows_written(error)) {
    if (const char *feast_class = feast_error_feast_class(error)) feast_class_ = feast_class;
    if (const char *server = feast_error_server(error)) server_ = server;
    std::size_t count = 0;
    if (const std::uint64_t *rows = feast_error_unwritten_rows(error, &count)) unwritten_.assign(rows, rows + count);
    if (const std::uint64_t *rows = feast_error_doubtful_rows(error, &count)) doubtful_.assign(rows, rows + count);
    timing_.size = sizeof timing_;
    feast_error_timing(error, &timing_);
  }

  Error(feast_status_t status, const std::string &message) : std::runtime_error(message), status_(status) {}

  feast_status_t status() const noexcept { return status_; }
  const char *status_name() const noexcept { return feast_status_name(status_); }
  // 0 if no attempt was answered.
  int http_status() const noexcept { return http_status_; }
  std::uint32_t attempts() const noexcept { return attempts_; }
  bool is_retriable() const noexcept { return retriable_; }
  // Of the last attempt; empty if there was none.
  const std::string &server() const noexcept { return server_; }
  // Of a write that failed: see feast_error_rows_written() and its siblings.
  std::uint64_t rows_written() const noexcept { return rows_written_; }
  const std::vector<std::uint64_t> &unwritten_rows() const noexcept { return unwritten_; }
  const std::vector<std::uint64_t> &doubtful_rows() const noexcept { return doubtful_; }
  // Empty if the server named none.
  const std::string &feast_class() const noexcept { return feast_class_; }
  // Where the time of the call went, all 0 if it failed before it began; `server` is borrowed from this error.
  feast_timing_t timing() const noexcept {
    feast_timing_t timing = timing_;
    timing.server = server_.empty() ? nullptr : server_.c_str();
    return timing;
  }
  // Whether there is an error.
  explicit operator bool() const noexcept { return status_ != FEAST_OK; }

 private:
  feast_status_t status_ = FEAST_OK;
  int http_status_ = 0;
  std::uint32_t attempts_ = 0;
  std::string server_;
  bool retriable_ = false;
  std::uint64_t rows_written_ = 0;
  std::vector<std::uint64_t> unwritten_, doubtful_;
  std::string feast_class_;
  feast_timing_t timing_{};
};

FEAST_REMOTE_END

#endif  // FEAST_REMOTE_ERROR_HPP
