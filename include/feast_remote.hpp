// libfeast_remote for C++17 and newer: the C interface with objects that free themselves. Header-only; it has no symbols
// of its own in the library. What each function does, its units and its thread safety stand in feast_remote.h; here is
// only what is different.
//
//   feast::Config config;
//   config.set("path", "http://localhost:6566");
//   feast::Remote remote(config);
//   feast::Request request;
//   request.add_feature("driver_hourly_stats:avg_daily_trips").set_entity("driver_id", {1001, 1002});
//   feast::Response response = remote.get_online_features(request);
//   for (std::int64_t trips : response.int64("avg_daily_trips")) std::cout << trips << '\n';
//
// Ownership: every object is movable and not copyable (Request has clone()), and frees what it holds. A view is valid
// while its Response lives. Errors: a call that fails throws feast::Error; the calls that go to the server also take a
// feast::Error *, and then report there and throw nothing.
#ifndef FEAST_REMOTE_HPP
#define FEAST_REMOTE_HPP

#include <feast_remote.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <future>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace feast {

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
  }

  Error(feast_status_t status, const std::string &message) : std::runtime_error(message), status_(status) {}

  feast_status_t status() const noexcept { return status_; }
  const char *status_name() const noexcept { return feast_status_name(status_); }
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
};

namespace detail {

template <auto free_function>
struct Freed {
  template <typename T>
  void operator()(T *object) const noexcept {
    free_function(object);
  }
};

template <typename T, auto free_function>
using Owned = std::unique_ptr<T, Freed<free_function>>;

// Runs a C function that takes a feast_error_t **; `report` or else an exception gets its error.
template <typename Call>
bool call(Error *report, Call &&function) {
  feast_error_t *error = nullptr;
  if (function(&error) == FEAST_OK) {
    if (report != nullptr && *report) *report = Error();
    return true;
  }
  Owned<feast_error_t, feast_error_free> owned(error);
  if (report == nullptr) throw Error(error);
  *report = Error(error);
  return false;
}

// For C, where a string ends at the first NUL.
inline const char *text(const std::string &text) {
  if (text.find('\0') != std::string::npos) throw Error(FEAST_INVALID_ARGUMENT, "a string has a NUL in it");
  return text.c_str();
}

// An element of a list of integers of several types.
struct Integer {
  template <typename T, typename = std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool> &&
                                                    (std::is_signed_v<T> || sizeof(T) < sizeof(std::int64_t))>>
  Integer(T integer) : value(integer) {}  // NOLINT: converts, as that is what it is for
  std::int64_t value;
};

template <typename T>
T *allocated(T *object) {
  if (object == nullptr) throw std::bad_alloc();
  return object;
}

}  // namespace detail

// Values of a column that somebody else owns, as std::span.
template <typename T>
class View {
 public:
  View() = default;
  View(const T *data, std::size_t size) : data_(data), size_(data == nullptr ? 0 : size) {}
  const T *data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  const T *begin() const noexcept { return data_; }
  const T *end() const noexcept { return data_ + size_; }
  const T &operator[](std::size_t i) const { return data_[i]; }

 private:
  const T *data_ = nullptr;
  std::size_t size_ = 0;
};

// Settings; see CONFIGURATION.md.
class Config {
 public:
  Config() : config_(detail::allocated(feast_config_new())) {}
  Config &set(const std::string &key, const std::string &value) {
    detail::call(nullptr, [&](feast_error_t **e) { return feast_config_set(config_.get(), detail::text(key), detail::text(value), e); });
    return *this;
  }
  Config &load_yaml(const std::string &path) {
    detail::call(nullptr, [&](feast_error_t **e) { return feast_config_load_yaml(config_.get(), detail::text(path), e); });
    return *this;
  }
  const feast_config_t *get() const noexcept { return config_.get(); }

 private:
  detail::Owned<feast_config_t, feast_config_free> config_;
};

// A question. Setters return the request, to be chained.
class Request {
 public:
  Request() : request_(detail::allocated(feast_request_new())) {}
  Request clone() const { return Request(detail::allocated(feast_request_clone(request_.get()))); }

  Request &add_feature(const std::string &feature) {
    return change([&](auto *r, auto **e) { return feast_request_add_feature(r, detail::text(feature), e); });
  }
  Request &add_feature(const std::string &feature, feast_type_t type) {
    return change([&](auto *r, auto **e) { return feast_request_add_typed_feature(r, detail::text(feature), type, e); });
  }
  Request &set_feature_service(const std::string &name) {
    return change([&](auto *r, auto **e) { return feast_request_set_feature_service(r, detail::text(name), e); });
  }
  Request &set_full_feature_names(bool full) {
    return change([&](auto *r, auto **e) { return feast_request_set_full_feature_names(r, full, e); });
  }
  Request &set_timeout_ms(std::int64_t timeout_ms) {
    return change([&](auto *r, auto **e) { return feast_request_set_timeout_ms(r, timeout_ms, e); });
  }
  // Whether the call may share a request with others (merge_max_rows).
  Request &set_merge(bool merge) {
    return change([&](auto *r, auto **e) { return feast_request_set_merge(r, merge, e); });
  }
  // How long a call may take; 0 or less: it ends at once with FEAST_TIMEOUT, nothing sent.
  Request &set_timeout(std::chrono::nanoseconds timeout) {
    return change([&](auto *r, auto **e) { return feast_request_set_timeout_ns(r, timeout.count(), e); });
  }
  // By when a call has to end, beside the timeout.
  Request &set_deadline(std::chrono::steady_clock::time_point deadline) {
    const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(deadline.time_since_epoch());
    return change([&](auto *r, auto **e) { return feast_request_set_deadline_ns(r, since.count(), e); });
  }
  // Columns that a matrix of the features takes; see feast_request_matrix_width().
  std::size_t matrix_width() const noexcept { return feast_request_matrix_width(request_.get()); }
  // Older values are FEAST_FIELD_STATUS_OUTSIDE_MAX_AGE, and missing in a matrix.
  Request &set_max_age(std::chrono::milliseconds age, bool drop_values = false) {
    return change([&](auto *r, auto **e) { return feast_request_set_max_age_ms(r, age.count(), drop_values, e); });
  }
  // W3C Trace Context, sent along.
  Request &set_trace_context(const std::string &traceparent, const std::string &tracestate = "") {
    return change([&](auto *r, auto **e) {
      return feast_request_set_trace_context(r, detail::text(traceparent), detail::text(tracestate), e);
    });
  }
  Request &set_entity(const std::string &name, const std::int64_t *values, std::size_t count) {
    return change([&](auto *r, auto **e) { return feast_request_set_entity_int64(r, detail::text(name), values, count, e); });
  }
  Request &set_entity(const std::string &name, const double *values, std::size_t count) {
    return change([&](auto *r, auto **e) { return feast_request_set_entity_double(r, detail::text(name), values, count, e); });
  }
  Request &set_entity(const std::string &name, const std::vector<std::int64_t> &values) {
    return set_entity(name, values.data(), values.size());
  }
  // Integers, floating-point numbers, booleans or strings in braces, all of one type.
  template <typename T>
  Request &set_entity(const std::string &name, std::initializer_list<T> values) {
    if constexpr (std::is_same_v<T, bool>) {
      return set_entity(name, std::vector<bool>(values));
    } else if constexpr (std::is_integral_v<T>) {
      static_assert(std::is_signed_v<T> || sizeof(T) < sizeof(std::int64_t), "an entity's integers are int64");
      return set_entity(name, std::vector<std::int64_t>(values.begin(), values.end()));
    } else if constexpr (std::is_floating_point_v<T>) {
      static_assert(sizeof(T) <= sizeof(double), "an entity's floating-point numbers are doubles");
      return set_entity(name, std::vector<double>(values.begin(), values.end()));
    } else {
      return set_entity(name, std::vector<std::string>(values.begin(), values.end()));
    }
  }
  Request &set_entity(const std::string &name, const std::vector<double> &values) {
    return set_entity(name, values.data(), values.size());
  }
  Request &set_entity(const std::string &name, std::initializer_list<detail::Integer> values) {
    std::vector<std::int64_t> integers;
    for (const detail::Integer &integer : values) integers.push_back(integer.value);
    return set_entity(name, integers);
  }
  Request &set_entity(const std::string &name, const std::vector<bool> &values) {
    std::unique_ptr<bool[]> flags(new bool[values.size()]);
    std::copy(values.begin(), values.end(), flags.get());
    return change([&](auto *r, auto **e) {
      return feast_request_set_entity_bool(r, detail::text(name), flags.get(), values.size(), e);
    });
  }
  Request &set_entity(const std::string &name, const std::vector<std::string> &values) {
    std::vector<const char *> texts;
    std::vector<std::size_t> lengths;
    for (const std::string &value : values) {
      texts.push_back(value.data());
      lengths.push_back(value.size());
    }
    return change([&](auto *r, auto **e) {
      return feast_request_set_entity_string(r, detail::text(name), texts.data(), lengths.data(), texts.size(), e);
    });
  }
  Request &set_entity_json(const std::string &name, const std::string &json_array) {
    return change([&](auto *r, auto **e) { return feast_request_set_entity_json(r, detail::text(name), detail::text(json_array), e); });
  }
  const feast_request_t *get() const noexcept { return request_.get(); }

 private:
  explicit Request(feast_request_t *request) : request_(request) {}
  template <typename Change>
  Request &change(Change &&function) {
    detail::call(nullptr, [&](feast_error_t **e) { return function(request_.get(), e); });
    return *this;
  }

  detail::Owned<feast_request_t, feast_request_free> request_;
};

// An answer. Columns asked for by name have the type that is asked for, or feast::Error is thrown: a column without any value
// has every type, and numbers are converted exactly. By its number a column gives an empty view if it has another type.
class Response {
 public:
  // Empty, as after a call that failed.
  Response() = default;
  explicit Response(feast_response_t *response) : response_(response) {}
  explicit operator bool() const noexcept { return response_ != nullptr; }

  std::size_t rows() const noexcept { return feast_response_num_rows(get()); }
  std::size_t columns() const noexcept { return feast_response_num_columns(get()); }
  std::size_t entities() const noexcept { return feast_response_num_entities(get()); }
  // Calls that the request asked for, this one among them (merge_max_rows).
  std::size_t calls_in_request() const noexcept { return feast_response_calls_in_request(get()); }
  // That gave this answer; nullptr without one.
  const char *server() const noexcept { return feast_response_server(get()); }
  const char *name(std::size_t column) const noexcept { return feast_response_column_name(get(), column); }
  feast_type_t type(std::size_t column) const noexcept { return feast_response_column_type(get(), column); }
  std::optional<std::size_t> find(const std::string &name) const noexcept {
    std::size_t column = feast_response_find_column(get(), name.c_str());
    return column == SIZE_MAX ? std::nullopt : std::optional<std::size_t>(column);
  }

  View<std::int64_t> int64(std::size_t column) const noexcept { return {feast_response_column_int64(get(), column), rows()}; }
  View<std::int32_t> int32(std::size_t column) const noexcept { return {feast_response_column_int32(get(), column), rows()}; }
  View<double> float64(std::size_t column) const noexcept { return {feast_response_column_double(get(), column), rows()}; }
  View<float> float32(std::size_t column) const noexcept { return {feast_response_column_float(get(), column), rows()}; }
  View<std::uint8_t> boolean(std::size_t column) const noexcept { return {feast_response_column_bool(get(), column), rows()}; }
  View<std::uint8_t> statuses(std::size_t column) const noexcept { return {feast_response_column_statuses(get(), column), rows()}; }
  View<std::int64_t> event_timestamps_ns(std::size_t column) const noexcept {
    return {feast_response_column_event_timestamps_ns(get(), column), rows()};
  }
  View<std::int64_t> int64(const std::string &name) const { return get<std::int64_t>(feast_response_get_int64, name); }
  View<std::int32_t> int32(const std::string &name) const { return get<std::int32_t>(feast_response_get_int32, name); }
  View<double> float64(const std::string &name) const { return get<double>(feast_response_get_double, name); }
  View<float> float32(const std::string &name) const { return get<float>(feast_response_get_float, name); }
  View<std::uint8_t> boolean(const std::string &name) const { return get<std::uint8_t>(feast_response_get_bool, name); }
  View<std::uint8_t> statuses(const std::string &name) const { return statuses(place(name)); }
  View<std::int64_t> event_timestamps_ns(const std::string &name) const { return event_timestamps_ns(place(name)); }
  // A row of a STRING, BYTES or JSON column; borrowed from the response.
  std::string_view text(const std::string &name, std::size_t row) const {
    const std::int64_t *offsets = nullptr;
    const char *data = nullptr;
    detail::call(nullptr, [&](feast_error_t **e) {
      return feast_response_get_string(get(), detail::text(name), &offsets, &data, nullptr, e);
    });
    if (row >= rows()) throw Error(FEAST_INVALID_ARGUMENT, "there is no row " + std::to_string(row));
    return {data + offsets[row], static_cast<std::size_t>(offsets[row + 1] - offsets[row])};
  }
  // Whether a row of a column has a value.
  bool is_valid(const std::string &name, std::size_t row) const { return is_valid(place(name), row); }

  // Whether a row of a column has a value.
  bool is_valid(std::size_t column, std::size_t row) const noexcept {
    const std::uint8_t *bits = feast_response_column_validity(get(), column);
    if (bits == nullptr) return feast_response_column_name(get(), column) != nullptr;
    return (bits[row / 8] >> (row % 8) & 1) != 0;
  }
  // A row of a STRING, BYTES or JSON column; borrowed from the response.
  std::string_view text(std::size_t column, std::size_t row) const {
    const std::int64_t *offsets = nullptr;
    const char *data = nullptr;
    detail::call(nullptr, [&](feast_error_t **e) { return feast_response_column_string(get(), column, &offsets, &data, e); });
    return {data + offsets[row], static_cast<std::size_t>(offsets[row + 1] - offsets[row])};
  }
  // Where the time of the call went; see feast_timing_t.
  feast_timing_t timing() const noexcept {
    feast_timing_t timing{};
    timing.size = sizeof timing;
    feast_response_timing(get(), &timing);
    return timing;
  }
  // All features as a row-major matrix, see feast_response_copy_f32().
  void copy_f32(float *out, std::size_t row_stride, float missing, std::uint8_t *statuses = nullptr) const {
    detail::call(nullptr, [&](feast_error_t **e) {
      return feast_response_copy_f32(get(), nullptr, 0, out, row_stride, missing, statuses, e);
    });
  }
  const feast_response_t *get() const noexcept { return response_.get(); }

 private:
  std::size_t place(const std::string &name) const {
    const std::size_t column = feast_response_find_column(get(), detail::text(name));
    if (column == SIZE_MAX) throw Error(FEAST_INVALID_ARGUMENT, "no column `" + name + "`");
    return column;
  }
  template <typename T, typename Get>
  View<T> get(Get getter, const std::string &name) const {
    const T *values = nullptr;
    detail::call(nullptr, [&](feast_error_t **e) { return getter(get(), detail::text(name), &values, nullptr, e); });
    return {values, rows()};
  }


  detail::Owned<feast_response_t, feast_response_free> response_;
};

// Rows to be written. Setters return the frame, to be chained; an empty std::optional is a null.
class Frame {
 public:
  Frame() : frame_(detail::allocated(feast_frame_new())) {}
  explicit Frame(feast_frame_t *frame) : frame_(frame) {}
  // Copies a record batch, which is released.
  static Frame import_arrow(ArrowArray *array, ArrowSchema *schema) {
    feast_frame_t *frame = nullptr;
    detail::call(nullptr, [&](feast_error_t **e) { return feast_frame_import_arrow(array, schema, &frame, e); });
    return Frame(frame);
  }
  std::size_t rows() const noexcept { return feast_frame_num_rows(frame_.get()); }

  // `validity`: Arrow's bitmap, NULL if every row has a value.
  Frame &set(const std::string &name, const std::int64_t *values, std::size_t n, const std::uint8_t *validity = nullptr) {
    return change([&](auto *f, auto **e) { return feast_frame_set_int64(f, detail::text(name), values, validity, n, e); });
  }
  Frame &set(const std::string &name, const double *values, std::size_t n, const std::uint8_t *validity = nullptr) {
    return change([&](auto *f, auto **e) { return feast_frame_set_double(f, detail::text(name), values, validity, n, e); });
  }
  Frame &set(const std::string &name, const float *values, std::size_t n, const std::uint8_t *validity = nullptr) {
    return change([&](auto *f, auto **e) { return feast_frame_set_float(f, detail::text(name), values, validity, n, e); });
  }
  // std::int64_t, std::int32_t, float, double or bool.
  template <typename T>
  Frame &set(const std::string &name, const std::vector<std::optional<T>> &values) {
    std::unique_ptr<T[]> plain(new T[values.size()]());
    std::vector<std::uint8_t> validity(values.size() / 8 + 1);
    for (std::size_t row = 0; row < values.size(); row++) {
      if (!values[row]) continue;
      plain[row] = *values[row];
      validity[row / 8] = static_cast<std::uint8_t>(validity[row / 8] | 1u << row % 8);
    }
    return set_array(name, plain.get(), values.size(), validity.data());
  }
  template <typename T>
  Frame &set(const std::string &name, const std::vector<T> &values) {
    std::unique_ptr<T[]> plain(new T[values.size()]());
    std::copy(values.begin(), values.end(), plain.get());
    return set_array(name, plain.get(), values.size(), nullptr);
  }
  Frame &set(const std::string &name, const std::vector<std::string> &values) {
    std::vector<std::optional<std::string>> optional(values.begin(), values.end());
    return set(name, optional);
  }
  Frame &set(const std::string &name, const std::vector<std::optional<std::string>> &values) {
    std::vector<const char *> texts;
    std::vector<std::size_t> lengths;
    for (const auto &value : values) {
      texts.push_back(value ? value->data() : nullptr);
      lengths.push_back(value ? value->size() : 0);
    }
    return change([&](auto *f, auto **e) {
      return feast_frame_set_string(f, detail::text(name), texts.data(), lengths.data(), texts.size(), e);
    });
  }
  // Embeddings, for instance.
  Frame &set(const std::string &name, const std::vector<std::vector<float>> &lists) {
    std::vector<std::int64_t> offsets{0};
    std::vector<float> items;
    for (const auto &list : lists) {
      items.insert(items.end(), list.begin(), list.end());
      offsets.push_back(static_cast<std::int64_t>(items.size()));
    }
    return change([&](auto *f, auto **e) {
      return feast_frame_set_float_list(f, detail::text(name), offsets.data(), items.data(), nullptr, lists.size(), e);
    });
  }
  Frame &set(const std::string &name, const std::vector<std::chrono::system_clock::time_point> &moments) {
    std::vector<std::int64_t> nanoseconds;
    for (const auto &moment : moments)
      nanoseconds.push_back(std::chrono::duration_cast<std::chrono::nanoseconds>(moment.time_since_epoch()).count());
    return change([&](auto *f, auto **e) {
      return feast_frame_set_timestamp_ns(f, detail::text(name), nanoseconds.data(), nullptr, nanoseconds.size(), e);
    });
  }
  Frame &set_json(const std::string &name, const std::string &json_array) {
    return change([&](auto *f, auto **e) { return feast_frame_set_json(f, detail::text(name), detail::text(json_array), e); });
  }
  const feast_frame_t *get() const noexcept { return frame_.get(); }

 private:
  Frame &set_array(const std::string &name, const std::int64_t *values, std::size_t n, const std::uint8_t *validity) {
    return set(name, values, n, validity);
  }
  Frame &set_array(const std::string &name, const double *values, std::size_t n, const std::uint8_t *validity) {
    return set(name, values, n, validity);
  }
  Frame &set_array(const std::string &name, const float *values, std::size_t n, const std::uint8_t *validity) {
    return set(name, values, n, validity);
  }
  Frame &set_array(const std::string &name, const std::int32_t *values, std::size_t n, const std::uint8_t *validity) {
    return change([&](auto *f, auto **e) { return feast_frame_set_int32(f, detail::text(name), values, validity, n, e); });
  }
  Frame &set_array(const std::string &name, const bool *values, std::size_t n, const std::uint8_t *validity) {
    return change([&](auto *f, auto **e) { return feast_frame_set_bool(f, detail::text(name), values, validity, n, e); });
  }
  template <typename Change>
  Frame &change(Change &&function) {
    detail::call(nullptr, [&](feast_error_t **e) { return function(frame_.get(), e); });
    return *this;
  }

  detail::Owned<feast_frame_t, feast_frame_free> frame_;
};

// How rows are written, where it is not as usual; see feast_write_options_t.
class WriteOptions {
 public:
  WriteOptions() : options_(detail::allocated(feast_write_options_new())) {}
  WriteOptions &set_timestamp_field(const std::string &name) {
    return change([&](auto *o, auto **e) { return feast_write_options_set_timestamp_field(o, detail::text(name), e); });
  }
  WriteOptions &set_created_timestamp_column(const std::string &name) {
    return change([&](auto *o, auto **e) { return feast_write_options_set_created_timestamp_column(o, detail::text(name), e); });
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
  WriteOptions &set_timeout(std::chrono::milliseconds timeout) {
    return change([&](auto *o, auto **e) { return feast_write_options_set_timeout_ms(o, timeout.count(), e); });
  }
  const feast_write_options_t *get() const noexcept { return options_.get(); }

 private:
  template <typename Change>
  WriteOptions &change(Change &&function) {
    detail::call(nullptr, [&](feast_error_t **e) { return function(options_.get(), e); });
    return *this;
  }

  detail::Owned<feast_write_options_t, feast_write_options_free> options_;
};

// A write that is done.
struct Written {
  std::uint64_t rows = 0;
  std::uint64_t requests = 0;
  bool is_queued = false;
};

// A search of documents by a vector; see feast_search_t.
class Search {
 public:
  Search() : search_(detail::allocated(feast_search_new())) {}
  Search &add_feature(const std::string &feature) {
    return change([&](auto *s, auto **e) { return feast_search_add_feature(s, detail::text(feature), e); });
  }
  Search &set_query(const std::vector<float> &vector) {
    return change([&](auto *s, auto **e) { return feast_search_set_query(s, vector.data(), vector.size(), e); });
  }
  Search &set_top_k(std::size_t top_k) {
    return change([&](auto *s, auto **e) { return feast_search_set_top_k(s, top_k, e); });
  }
  Search &set_distance_metric(const std::string &metric) {
    return change([&](auto *s, auto **e) { return feast_search_set_distance_metric(s, detail::text(metric), e); });
  }
  Search &set_filters(const std::string &json) {
    return change([&](auto *s, auto **e) { return feast_search_set_filters(s, detail::text(json), e); });
  }
  const feast_search_t *get() const noexcept { return search_.get(); }

 private:
  template <typename Change>
  Search &change(Change &&function) {
    detail::call(nullptr, [&](feast_error_t **e) { return function(search_.get(), e); });
    return *this;
  }

  detail::Owned<feast_search_t, feast_search_free> search_;
};

// A call under way. Letting it go does not end the call.
class Call {
 public:
  Call() = default;
  explicit Call(feast_call_t *call) : call_(call) {}
  void cancel() noexcept { feast_call_cancel(call_.get()); }

 private:
  detail::Owned<feast_call_t, feast_call_free> call_;
};

// The end of an asynchronous call.
class Event {
 public:
  Event() = default;
  explicit Event(feast_event_t *event) : event_(event) {}
  // Whether there is one.
  explicit operator bool() const noexcept { return event_ != nullptr; }
  template <typename T>
  T *tag() const noexcept {
    return static_cast<T *>(feast_event_tag(event_.get()));
  }
  feast_status_t status() const noexcept { return feast_event_status(event_.get()); }
  // The answer; throws, or reports, why there is none.
  Response take_response(Error *error = nullptr) {
    if (const feast_error_t *why = feast_event_error(event_.get())) {
      if (error == nullptr) throw Error(why);
      *error = Error(why);
      return Response();
    }
    if (error != nullptr && *error) *error = Error();
    return Response(feast_event_take_response(event_.get()));
  }
  // What a write came to; likewise.
  Written take_written(Error *error = nullptr) {
    if (const feast_error_t *why = feast_event_error(event_.get())) {
      if (error == nullptr) throw Error(why);
      *error = Error(why);
      return Written();
    }
    if (error != nullptr && *error) *error = Error();
    detail::Owned<feast_write_t, feast_write_free> written(feast_event_take_write(event_.get()));
    return {feast_write_rows_written(written.get()), feast_write_requests(written.get()), feast_write_is_queued(written.get())};
  }

 private:
  detail::Owned<feast_event_t, feast_event_free> event_;
};

// Where asynchronous calls come back to.
class Queue {
 public:
  Queue() {
    feast_queue_t *queue = nullptr;
    detail::call(nullptr, [&](feast_error_t **e) { return feast_queue_open(&queue, e); });
    queue_.reset(queue);
  }
  Event poll(std::int64_t timeout_ms) { return Event(feast_queue_poll(queue_.get(), timeout_ms)); }
  int fd() noexcept { return feast_queue_fd(queue_.get()); }
  void wake() noexcept { feast_queue_wake(queue_.get()); }
  feast_queue_t *get() const noexcept { return queue_.get(); }

 private:
  detail::Owned<feast_queue_t, feast_queue_free> queue_;
};

// An open store. Closed when destroyed.
class Remote {
 public:
  explicit Remote(const Config &config) {
    feast_remote_t *remote = nullptr;
    detail::call(nullptr, [&](feast_error_t **e) { return feast_remote_open(config.get(), &remote, e); });
    remote_.reset(remote);
  }
  Response get_online_features(const Request &request, Error *error = nullptr) const {
    feast_response_t *response = nullptr;
    detail::call(error, [&](feast_error_t **e) {
      return feast_get_online_features(remote_.get(), request.get(), &response, e);
    });
    return Response(response);
  }
  // Straight into a row-major matrix; false if `error` was reported.
  bool get_online_features_into(const Request &request, float *out, std::size_t row_stride, float missing,
                                std::uint8_t *statuses = nullptr, Error *error = nullptr) const {
    return detail::call(error, [&](feast_error_t **e) {
      return feast_get_online_features_into_f32(remote_.get(), request.get(), out, row_stride, missing, statuses, e);
    });
  }
  // An event with this tag comes to the queue, unless this throws or reports an error.
  Call get_online_features_async(const Request &request, Queue &queue, void *tag, Error *error = nullptr) const {
    feast_call_t *call = nullptr;
    detail::call(error, [&](feast_error_t **e) {
      return feast_get_online_features_async(remote_.get(), request.get(), queue.get(), tag, &call, e);
    });
    return Call(call);
  }
  // Pushes rows: FEAST_PUSH_ONLINE, FEAST_PUSH_OFFLINE or both. An Error knows the rows that were not written.
  Written push(const std::string &push_source, const Frame &frame, feast_push_to_t to = FEAST_PUSH_ONLINE,
               const WriteOptions *options = nullptr, Error *error = nullptr) const {
    return write(error, [&](feast_write_t **w, feast_error_t **e) {
      return feast_push(remote_.get(), detail::text(push_source), frame.get(), to, options ? options->get() : nullptr, w, e);
    });
  }
  Written write_to_online_store(const std::string &feature_view, const Frame &frame, const WriteOptions *options = nullptr,
                                Error *error = nullptr) const {
    return write(error, [&](feast_write_t **w, feast_error_t **e) {
      return feast_write_to_online_store(remote_.get(), detail::text(feature_view), frame.get(),
                                         options ? options->get() : nullptr, w, e);
    });
  }
  // Without waiting: an event with this tag comes to the queue, for Event::take_written().
  Call push_async(const std::string &push_source, const Frame &frame, Queue &queue, void *tag,
                  feast_push_to_t to = FEAST_PUSH_ONLINE, const WriteOptions *options = nullptr) const {
    feast_call_t *call = nullptr;
    detail::call(nullptr, [&](feast_error_t **e) {
      return feast_push_async(remote_.get(), detail::text(push_source), frame.get(), to, options ? options->get() : nullptr,
                              queue.get(), tag, &call, e);
    });
    return Call(call);
  }
  Call write_to_online_store_async(const std::string &feature_view, const Frame &frame, Queue &queue, void *tag,
                                   const WriteOptions *options = nullptr) const {
    feast_call_t *call = nullptr;
    detail::call(nullptr, [&](feast_error_t **e) {
      return feast_write_to_online_store_async(remote_.get(), detail::text(feature_view), frame.get(),
                                               options ? options->get() : nullptr, queue.get(), tag, &call, e);
    });
    return Call(call);
  }
  // The documents nearest to a vector, nearest first: join keys, features and "distance".
  Response retrieve_online_documents(const Search &search, Error *error = nullptr) const {
    feast_response_t *response = nullptr;
    detail::call(error, [&](feast_error_t **e) {
      return feast_retrieve_online_documents(remote_.get(), search.get(), &response, e);
    });
    return Response(response);
  }
  // Makes connections before the first call; see feast_remote_warm_up().
  void warm_up(std::size_t connections, std::chrono::milliseconds timeout) const {
    detail::call(nullptr, [&](feast_error_t **e) {
      return feast_remote_warm_up(remote_.get(), connections, timeout.count(), e);
    });
  }
  // Throws unless the server says that it is well.
  void check_health() const {
    detail::call(nullptr, [&](feast_error_t **e) { return feast_check_health(remote_.get(), e); });
  }
  // The next attempts use this bearer token; see feast_remote_set_token().
  void set_token(const std::string &token) const {
    detail::call(nullptr, [&](feast_error_t **e) { return feast_remote_set_token(remote_.get(), detail::text(token), e); });
  }
  std::string stats_json() const {
    char *json = nullptr;
    std::size_t size = 0;
    detail::call(nullptr, [&](feast_error_t **e) { return feast_stats_json(remote_.get(), &json, &size, e); });
    detail::Owned<char, feast_string_free> owned(json);
    return std::string(json, size);
  }
  feast_remote_t *get() const noexcept { return remote_.get(); }

 private:
  template <typename Call>
  static Written write(Error *error, Call &&function) {
    feast_write_t *written = nullptr;
    detail::call(error, [&](feast_error_t **e) { return function(&written, e); });
    detail::Owned<feast_write_t, feast_write_free> owned(written);
    return {feast_write_rows_written(written), feast_write_requests(written), feast_write_is_queued(written)};
  }

  detail::Owned<feast_remote_t, feast_close> remote_;
};

// The figures of several stores, by their names, in Prometheus' text format, to be served under /metrics.
inline std::string stats_prometheus(const std::vector<std::pair<std::string, const Remote *>> &stores) {
  std::vector<const feast_remote_t *> handles;
  std::vector<const char *> names;
  for (const auto &store : stores) {
    names.push_back(detail::text(store.first));
    handles.push_back(store.second->get());
  }
  char *text = nullptr;
  std::size_t size = 0;
  detail::call(nullptr, [&](feast_error_t **e) {
    return feast_stats_prometheus(handles.data(), names.data(), handles.size(), &text, &size, e);
  });
  detail::Owned<char, feast_string_free> owned(text);
  return std::string(text, size);
}

// Asynchronous calls as std::future, for programs without an event loop: a queue, and a thread that waits for its events
// and decodes the answers. Destroying it cancels the calls under way. Any number of threads may use it at once, with any
// number of stores, which may be closed before or after it.
class Futures {
 public:
  Futures() : worker_([this] { work(); }) {}
  Futures(const Futures &) = delete;
  Futures &operator=(const Futures &) = delete;
  ~Futures() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
      for (auto &pending : under_way_) pending.second.call.cancel();
    }
    queue_.wake();
    worker_.join();
  }

  std::future<Response> get_online_features(const Remote &remote, const Request &request) {
    std::lock_guard<std::mutex> lock(mutex_);
    const std::uintptr_t number = next_++;
    Pending &pending = under_way_[number];
    Error error;
    pending.call = remote.get_online_features_async(request, queue_, reinterpret_cast<void *>(number), &error);
    std::future<Response> future = pending.promise.get_future();
    if (error) {
      under_way_.erase(number);
      throw error;
    }
    return future;
  }

 private:
  struct Pending {
    std::promise<Response> promise;
    Call call;
  };

  void work() {
    for (;;) {
      Event event = queue_.poll(-1);
      std::promise<Response> promise;
      {
        std::lock_guard<std::mutex> lock(mutex_);
        if (event) {
          auto pending = under_way_.find(reinterpret_cast<std::uintptr_t>(event.tag<void>()));
          promise = std::move(pending->second.promise);
          under_way_.erase(pending);
        } else if (stopping_ && under_way_.empty()) {
          return;
        }
        if (stopping_ && under_way_.empty()) queue_.wake();
      }
      if (event) finish(promise, event);
    }
  }

  static void finish(std::promise<Response> &promise, Event &event) {
    try {
      promise.set_value(event.take_response());
    } catch (...) {
      promise.set_exception(std::current_exception());
    }
  }

  Queue queue_;
  std::mutex mutex_;
  std::unordered_map<std::uintptr_t, Pending> under_way_;
  std::uintptr_t next_ = 1;
  bool stopping_ = false;
  std::thread worker_;
};

}  // namespace feast

#endif  // FEAST_REMOTE_HPP
