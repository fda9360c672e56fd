// How rows are written, and what came of it.
#ifndef FEAST_REMOTE_WRITE_HPP
#define FEAST_REMOTE_WRITE_HPP

#include <feast_remote/detail.hpp>

FEAST_REMOTE_BEGIN

// How rows are written, where it is not as usual; see feast_write_options_t. Setters return the options, to be chained.
class WriteOptions : public detail::Builder<WriteOptions, feast_write_options_t, feast_write_options_free> {
 public:
  WriteOptions() : Builder(feast_write_options_new()) {}
  WriteOptions &set_timestamp_field(const detail::Text &name) {
    return change([&](auto *o, auto **e) { return feast_write_options_set_timestamp_field(o, name.c_str(), e); }, name);
  }
  WriteOptions &set_created_timestamp_column(const detail::Text &name) {
    return change([&](auto *o, auto **e) { return feast_write_options_set_created_timestamp_column(o, name.c_str(), e); }, name);
  }
  WriteOptions &set_repeat_offline(bool repeat) {
    return change([&](auto *o, auto **e) { return feast_write_options_set_repeat_offline(o, repeat, e); });
  }
  WriteOptions &set_transform_on_write(bool transform) {
    return change([&](auto *o, auto **e) { return feast_write_options_set_transform_on_write(o, transform, e); });
  }
  WriteOptions &set_allow_registry_cache(bool allow) {
    return change([&](auto *o, auto **e) { return feast_write_options_set_allow_registry_cache(o, allow, e); });
  }
  // Of the whole write, rounded up to milliseconds; 0: nothing is sent.
  template <typename Rep, typename Period>
  WriteOptions &set_timeout(std::chrono::duration<Rep, Period> timeout) {
    const std::int64_t milliseconds = detail::milliseconds(timeout);
    return change([&](auto *o, auto **e) { return feast_write_options_set_timeout_ms(o, milliseconds, e); });
  }
};

// A write that is done.
struct Written {
  std::uint64_t rows = 0;
  std::uint64_t requests = 0;
  // The server has only taken the rows for an offline store, and writes them later.
  bool is_queued = false;
};

namespace detail {

// nullptr: nothing was written.
inline Written written(feast_write_t *write) {
  const Owned<feast_write_t, feast_write_free> owned(write);
  return {feast_write_rows_written(write), feast_write_requests(write), feast_write_is_queued(write)};
}

}  // namespace detail
FEAST_REMOTE_END

#endif  // FEAST_REMOTE_WRITE_HPP
