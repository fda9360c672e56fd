// What is asked for.
#ifndef FEAST_REMOTE_REQUEST_HPP
#define FEAST_REMOTE_REQUEST_HPP

#include <feast_remote/detail.hpp>

#include <initializer_list>

FEAST_REMOTE_BEGIN
namespace detail {

// An element of a list of integers of several types.
struct Integer {
  template <typename T, typename = std::enable_if_t<is_integer<T>>>
  Integer(T integer) : value(integer) {}  // NOLINT: converts, as that is what it is for
  std::int64_t value;
};

inline std::vector<std::int64_t> integers(std::initializer_list<Integer> list) {
  std::vector<std::int64_t> values;
  for (const Integer &integer : list) values.push_back(integer.value);
  return values;
}

// The C functions that set a column.
struct ColumnSetters {
  decltype(&feast_request_set_entity_int64) int64;
  decltype(&feast_request_set_entity_double) float64;
  decltype(&feast_request_set_entity_bool) boolean;
  decltype(&feast_request_set_entity_string) string;
  decltype(&feast_request_set_entity_json) json;
};
inline constexpr ColumnSetters entities{feast_request_set_entity_int64, feast_request_set_entity_double, feast_request_set_entity_bool,
                                        feast_request_set_entity_string, feast_request_set_entity_json};
inline constexpr ColumnSetters request_data{feast_request_set_request_data_int64, feast_request_set_request_data_double,
                                            feast_request_set_request_data_bool, feast_request_set_request_data_string,
                                            feast_request_set_request_data_json};

}  // namespace detail

// A question: features or a feature service, and entities, one value a row. Setters return the request, to be chained. One thread
// changes it at a time; any number of calls may use it meanwhile nobody does. clone() makes one for each thread out of a template.
class Request : public detail::Builder<Request, feast_request_t, feast_request_free> {
 public:
  Request() : Builder(feast_request_new()) {}
  Request clone() const {
    Request copy(feast_request_clone(get()));
    return is_usable() ? std::move(copy) : std::move(copy.refused(why()));
  }

  // "view:feature".
  Request &add_feature(const detail::Text &feature) {
    return change([&](auto *r, auto **e) { return feast_request_add_feature(r, feature.c_str(), e); }, feature);
  }
  // Of this type, converted exactly, or the call fails.
  Request &add_feature(const detail::Text &feature, feast_type_t type) {
    return change([&](auto *r, auto **e) { return feast_request_add_typed_feature(r, feature.c_str(), type, e); }, feature);
  }
  // Lists of a fixed length, such as embeddings; `type` is one of lists.
  Request &add_list_feature(const detail::Text &feature, feast_type_t type, std::size_t list_length) {
    return change([&](auto *r, auto **e) { return feast_request_add_list_feature(r, feature.c_str(), type, list_length, e); },
                  feature);
  }
  Request &set_feature_service(const detail::Text &name) {
    return change([&](auto *r, auto **e) { return feast_request_set_feature_service(r, name.c_str(), e); }, name);
  }
  // The type of a column by its name in the answer, for feature services and entities; `list_length` 0: open.
  Request &declare_column(const detail::Text &name, feast_type_t type, std::size_t list_length = 0) {
    return change([&](auto *r, auto **e) { return feast_request_declare_column(r, name.c_str(), type, list_length, e); }, name);
  }
  // Names like view__feature.
  Request &set_full_feature_names(bool full) {
    return change([&](auto *r, auto **e) { return feast_request_set_full_feature_names(r, full, e); });
  }
  // Whether the answer is to say which versions of feature views its values are of: Response::feature_views().
  Request &set_include_feature_view_version_metadata(bool include) {
    return change([&](auto *r, auto **e) { return feast_request_set_include_feature_view_version_metadata(r, include, e); });
  }
  // What stands for a missing value of one feature in matrices.
  Request &set_missing_value(const detail::Text &feature, double missing) {
    return change([&](auto *r, auto **e) { return feast_request_set_missing_value(r, feature.c_str(), missing, e); }, feature);
  }
  // Columns of a matrix of these features; 0 if that cannot be known before the answer.
  std::size_t matrix_width() const noexcept { return feast_request_matrix_width(get()); }

  // 0: the store's request_timeout_ms.
  Request &set_timeout_ms(std::int64_t timeout_ms) {
    return change([&](auto *r, auto **e) { return feast_request_set_timeout_ms(r, timeout_ms, e); });
  }
  // How long a call may take; 0 or less: it ends at once with FEAST_TIMEOUT, nothing sent.
  template <typename Rep, typename Period>
  Request &set_timeout(std::chrono::duration<Rep, Period> timeout) {
    const std::int64_t nanoseconds = detail::nanoseconds(timeout);
    return change([&](auto *r, auto **e) { return feast_request_set_timeout_ns(r, nanoseconds, e); });
  }
  // By when a call has to end, beside the timeout.
  template <typename Duration>
  Request &set_deadline(std::chrono::time_point<std::chrono::steady_clock, Duration> deadline) {
    const std::int64_t nanoseconds = detail::nanoseconds(deadline.time_since_epoch());
    return change([&](auto *r, auto **e) { return feast_request_set_deadline_ns(r, nanoseconds, e); });
  }
  // Whether the call may share a request with others (merge_max_rows).
  Request &set_merge(bool merge) {
    return change([&](auto *r, auto **e) { return feast_request_set_merge(r, merge, e); });
  }
  // How old values may be; older ones are FEAST_FIELD_STATUS_OUTSIDE_MAX_AGE, and become nulls if they are dropped.
  Request &set_max_age(std::chrono::milliseconds age, bool drop_values = false) {
    return change([&](auto *r, auto **e) { return feast_request_set_max_age_ms(r, age.count(), drop_values, e); });
  }
  // The same for one feature view.
  Request &set_view_max_age(const detail::Text &view, std::chrono::milliseconds age, bool drop_values = false) {
    return change(
        [&](auto *r, auto **e) { return feast_request_set_view_max_age_ms(r, view.c_str(), age.count(), drop_values, e); }, view);
  }
  // W3C Trace Context, sent on every attempt.
  Request &set_trace_context(const detail::Text &traceparent, const detail::Text &tracestate = "") {
    return change(
        [&](auto *r, auto **e) { return feast_request_set_trace_context(r, traceparent.c_str(), tracestate.c_str(), e); },
        traceparent, tracestate);
  }
  // An HTTP header of calls with this request, such as X-Request-Id; an empty value takes it out again.
  Request &set_header(const detail::Text &name, const detail::Text &value) {
    return change([&](auto *r, auto **e) { return feast_request_set_header(r, name.c_str(), value.c_str(), e); }, name, value);
  }

  // Entities, by their join keys: one value a row.
  Request &set_entity(const detail::Text &name, const std::int64_t *values, std::size_t count) {
    return set_numbers(detail::entities, name, values, count);
  }
  Request &set_entity(const detail::Text &name, const double *values, std::size_t count) {
    return set_numbers(detail::entities, name, values, count);
  }
  // A vector, array, span or other range of integers, floating-point numbers, booleans or strings.
  template <typename Range, typename = std::enable_if_t<detail::is_range<Range>>>
  Request &set_entity(const detail::Text &name, const Range &values) {
    return set_range(detail::entities, name, values);
  }
  // The same in braces, all of one type, or integers of several.
  template <typename T>
  Request &set_entity(const detail::Text &name, std::initializer_list<T> values) {
    return set_range(detail::entities, name, values);
  }
  Request &set_entity(const detail::Text &name, std::initializer_list<detail::Integer> values) {
    return set_range(detail::entities, name, detail::integers(values));
  }
  // The elements of a JSON array: nulls, lists, whatever the server understands.
  Request &set_entity_json(const detail::Text &name, const detail::Text &json_array) {
    return set_json(detail::entities, name, json_array);
  }

  // Request data of on-demand feature views, likewise: as many values as the entities have. Answers do not repeat it.
  Request &set_request_data(const detail::Text &name, const std::int64_t *values, std::size_t count) {
    return set_numbers(detail::request_data, name, values, count);
  }
  Request &set_request_data(const detail::Text &name, const double *values, std::size_t count) {
    return set_numbers(detail::request_data, name, values, count);
  }
  template <typename Range, typename = std::enable_if_t<detail::is_range<Range>>>
  Request &set_request_data(const detail::Text &name, const Range &values) {
    return set_range(detail::request_data, name, values);
  }
  template <typename T>
  Request &set_request_data(const detail::Text &name, std::initializer_list<T> values) {
    return set_range(detail::request_data, name, values);
  }
  Request &set_request_data(const detail::Text &name, std::initializer_list<detail::Integer> values) {
    return set_range(detail::request_data, name, detail::integers(values));
  }
  Request &set_request_data_json(const detail::Text &name, const detail::Text &json_array) {
    return set_json(detail::request_data, name, json_array);
  }

 private:
  explicit Request(feast_request_t *request) : Builder(request) {}

  Request &set_numbers(const detail::ColumnSetters &set, const detail::Text &name, const std::int64_t *values, std::size_t count) {
    return change([&](auto *r, auto **e) { return set.int64(r, name.c_str(), values, count, e); }, name);
  }
  Request &set_numbers(const detail::ColumnSetters &set, const detail::Text &name, const double *values, std::size_t count) {
    return change([&](auto *r, auto **e) { return set.float64(r, name.c_str(), values, count, e); }, name);
  }
  template <typename Range>
  Request &set_range(const detail::ColumnSetters &set, const detail::Text &name, const Range &values) {
    using Value = detail::Plain<typename Range::value_type>;
    if constexpr (std::is_same_v<Value, bool>) {
      return detail::with_array_of<bool>(values, [&](const bool *flags, std::size_t count) -> Request & {
        return change([&](auto *r, auto **e) { return set.boolean(r, name.c_str(), flags, count, e); }, name);
      });
    } else if constexpr (std::is_integral_v<Value>) {
      static_assert(detail::is_integer<Value>, "a request's integers are int64");
      return detail::with_array_of<std::int64_t>(values, [&](const std::int64_t *integers, std::size_t count) -> Request & {
        return set_numbers(set, name, integers, count);
      });
    } else if constexpr (std::is_floating_point_v<Value>) {
      static_assert(sizeof(Value) <= sizeof(double), "a request's floating-point numbers are doubles");
      return detail::with_array_of<double>(
          values, [&](const double *numbers, std::size_t count) -> Request & { return set_numbers(set, name, numbers, count); });
    } else {
      static_assert(detail::is_text<Value>, "a request has integers, floating-point numbers, booleans or strings");
      const detail::Strings texts = detail::strings(values);
      const auto changed = [&](auto *r, auto **e) {
        return set.string(r, name.c_str(), texts.texts.data(), texts.lengths.data(), texts.texts.size(), e);
      };
      return change(changed, name);
    }
  }
  Request &set_json(const detail::ColumnSetters &set, const detail::Text &name, const detail::Text &json_array) {
    return change([&](auto *r, auto **e) { return set.json(r, name.c_str(), json_array.c_str(), e); }, name, json_array);
  }
};

FEAST_REMOTE_END

#endif  // FEAST_REMOTE_REQUEST_HPP
