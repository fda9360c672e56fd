// Rows to be written.
#ifndef FEAST_REMOTE_FRAME_HPP
#define FEAST_REMOTE_FRAME_HPP

#include <feast_remote/detail.hpp>

#include <initializer_list>

FEAST_REMOTE_BEGIN
namespace detail {

// The type that a column keeps numbers and booleans of type T in; void: none.
template <typename T>
using Stored = std::conditional_t<
    std::is_same_v<T, bool> || std::is_same_v<T, float> || std::is_same_v<T, double>, T,
    std::conditional_t<!is_integer<T>, void,
                       std::conditional_t<(sizeof(T) < 4 || (sizeof(T) == 4 && std::is_signed_v<T>)), std::int32_t, std::int64_t>>>;

// As items of lists: integers are all int64.
template <typename T>
using StoredItem = std::conditional_t<is_integer<T>, std::int64_t, T>;

template <typename T>
struct Inner {
  using Type = T;
};
template <typename T>
struct Inner<std::optional<T>> {
  using Type = T;
};

}  // namespace detail

// Rows to be written, as columns: the join keys, the features and the event timestamps. Setters return the frame, to be chained; an
// empty std::optional is a null. One thread changes it at a time; any number of writes may use it while nobody does.
class Frame : public detail::Builder<Frame, feast_frame_t, feast_frame_free> {
 public:
  Frame() : Builder(feast_frame_new()) {}
  explicit Frame(feast_frame_t *frame) : Builder(frame) {}
  // Copies a record batch, which is released. Empty if `error` was reported.
  static Frame import_arrow(ArrowArray *array, ArrowSchema *schema, Error *error = nullptr) {
    feast_frame_t *frame = nullptr;
    const auto imported = [&](feast_error_t **e) { return feast_frame_import_arrow(array, schema, &frame, e); };
    return detail::call(error, imported) ? Frame(frame) : Frame();
  }
  std::size_t rows() const noexcept { return feast_frame_num_rows(get()); }

  // `validity`: Arrow's bitmap, nullptr if every row has a value.
  Frame &set(const detail::Text &name, const std::int32_t *values, std::size_t n, const std::uint8_t *validity = nullptr) {
    return change([&](auto *f, auto **e) { return feast_frame_set_int32(f, name.c_str(), values, validity, n, e); }, name);
  }
  Frame &set(const detail::Text &name, const std::int64_t *values, std::size_t n, const std::uint8_t *validity = nullptr) {
    return change([&](auto *f, auto **e) { return feast_frame_set_int64(f, name.c_str(), values, validity, n, e); }, name);
  }
  Frame &set(const detail::Text &name, const float *values, std::size_t n, const std::uint8_t *validity = nullptr) {
    return change([&](auto *f, auto **e) { return feast_frame_set_float(f, name.c_str(), values, validity, n, e); }, name);
  }
  Frame &set(const detail::Text &name, const double *values, std::size_t n, const std::uint8_t *validity = nullptr) {
    return change([&](auto *f, auto **e) { return feast_frame_set_double(f, name.c_str(), values, validity, n, e); }, name);
  }
  Frame &set(const detail::Text &name, const bool *values, std::size_t n, const std::uint8_t *validity = nullptr) {
    return change([&](auto *f, auto **e) { return feast_frame_set_bool(f, name.c_str(), values, validity, n, e); }, name);
  }
  // Moments, in nanoseconds since 1970-01-01 UTC.
  Frame &set_timestamps_ns(const detail::Text &name, const std::int64_t *values, std::size_t n,
                           const std::uint8_t *validity = nullptr) {
    return change([&](auto *f, auto **e) { return feast_frame_set_timestamp_ns(f, name.c_str(), values, validity, n, e); }, name);
  }
  // A vector, array, span or other range, one element a row: numbers, booleans, strings, std::chrono::system_clock's moments, lists
  // of numbers or strings (embeddings, for instance), or a std::optional of one of these.
  template <typename Range, typename = std::enable_if_t<detail::is_range<Range>>>
  Frame &set(const detail::Text &name, const Range &rows) {
    using Row = detail::Plain<typename Range::value_type>;
    using Value = typename detail::Inner<Row>::Type;
    if constexpr (detail::is_text<Value>) {
      return set_texts(name, rows);
    } else if constexpr (detail::is_range<Value>) {
      return set_lists<detail::Plain<typename Value::value_type>>(name, rows);
    } else if constexpr (detail::is_time<Value>) {
      const auto since_1970 = [](const Value &time) { return detail::nanoseconds(time.time_since_epoch()); };
      return with_nulls<std::int64_t>(rows, since_1970, [&](const std::int64_t *times, std::size_t n, const std::uint8_t *validity) {
        set_timestamps_ns(name, times, n, validity);
      });
    } else {
      using Stored = detail::Stored<Value>;
      static_assert(!std::is_void_v<Stored>, "there is no column of such values");
      if constexpr (detail::is_optional<Row>) {
        const auto same = [](const Value &value) { return static_cast<Stored>(value); };
        return with_nulls<Stored>(rows, same, [&](const Stored *values, std::size_t n, const std::uint8_t *validity) {
          set(name, values, n, validity);
        });
      } else {
        return detail::with_array_of<Stored>(
            rows, [&](const Stored *values, std::size_t n) -> Frame & { return set(name, values, n); });
      }
    }
  }
  template <typename T>
  Frame &set(const detail::Text &name, std::initializer_list<T> rows) {
    return set<std::initializer_list<T>, void>(name, rows);
  }
  // The elements of a JSON array: maps, lists of lists.
  Frame &set_json(const detail::Text &name, const detail::Text &json_array) {
    return change([&](auto *f, auto **e) { return feast_frame_set_json(f, name.c_str(), json_array.c_str(), e); }, name, json_array);
  }

 private:
  template <typename Row>
  static bool has_value(const Row &row) {
    if constexpr (detail::is_optional<Row>)
      return row.has_value();
    else
      return true;
  }
  template <typename Row>
  static const typename detail::Inner<Row>::Type &value(const Row &row) {
    if constexpr (detail::is_optional<Row>)
      return *row;
    else
      return row;
  }
  static void set_bit(std::vector<std::uint8_t> &bits, std::size_t row) {
    if (bits.size() <= row / 8) bits.resize(row / 8 + 1);
    bits[row / 8] = static_cast<std::uint8_t>(bits[row / 8] | 1u << row % 8);
  }

  // Calls `use` with values and validity.
  template <typename T, typename Range, typename Convert, typename Use>
  Frame &with_nulls(const Range &rows, Convert &&convert, Use &&use) {
    const std::size_t n = static_cast<std::size_t>(std::distance(std::begin(rows), std::end(rows)));
    std::unique_ptr<T[]> values(new T[n + 1]());
    std::vector<std::uint8_t> validity(n / 8 + 1);
    std::size_t i = 0;
    for (const auto &row : rows) {
      if (has_value(row)) {
        values[i] = convert(value(row));
        set_bit(validity, i);
      }
      i++;
    }
    use(static_cast<const T *>(values.get()), n, validity.data());
    return *this;
  }
  template <typename Range>
  Frame &set_texts(const detail::Text &name, const Range &rows) {
    detail::Strings strings;
    for (const auto &row : rows) has_value(row) ? strings.add(value(row)) : strings.add_null();
    return change(
        [&](auto *f, auto **e) {
          return feast_frame_set_string(f, name.c_str(), strings.texts.data(), strings.lengths.data(), strings.texts.size(), e);
        },
        name);
  }
  template <typename Item, typename Range>
  Frame &set_lists(const detail::Text &name, const Range &rows) {
    using Stored = std::conditional_t<detail::is_text<Item>, std::string, detail::StoredItem<Item>>;
    std::vector<std::int64_t> offsets{0};
    std::vector<Stored> items;
    std::vector<std::uint8_t> validity(1);
    std::size_t n = 0;
    for (const auto &row : rows) {
      if (has_value(row)) {
        for (const auto &item : value(row)) items.push_back(static_cast<Stored>(item));
        set_bit(validity, n);
      }
      offsets.push_back(static_cast<std::int64_t>(items.size()));
      n++;
    }
    validity.resize(n / 8 + 1);
    return set_list_column(name, offsets.data(), items, validity.data(), n);
  }
  Frame &set_list_column(const detail::Text &name, const std::int64_t *offsets, const std::vector<std::int64_t> &items,
                         const std::uint8_t *validity, std::size_t n) {
    const auto set = [&](auto *f, auto **e) {
      return feast_frame_set_int64_list(f, name.c_str(), offsets, items.data(), validity, n, e);
    };
    return change(set, name);
  }
  Frame &set_list_column(const detail::Text &name, const std::int64_t *offsets, const std::vector<float> &items,
                         const std::uint8_t *validity, std::size_t n) {
    const auto set = [&](auto *f, auto **e) {
      return feast_frame_set_float_list(f, name.c_str(), offsets, items.data(), validity, n, e);
    };
    return change(set, name);
  }
  Frame &set_list_column(const detail::Text &name, const std::int64_t *offsets, const std::vector<double> &items,
                         const std::uint8_t *validity, std::size_t n) {
    const auto set = [&](auto *f, auto **e) {
      return feast_frame_set_double_list(f, name.c_str(), offsets, items.data(), validity, n, e);
    };
    return change(set, name);
  }
  Frame &set_list_column(const detail::Text &name, const std::int64_t *offsets, const std::vector<std::string> &items,
                         const std::uint8_t *validity, std::size_t n) {
    std::vector<const char *> texts;
    for (const std::string &item : items) {
      if (item.find('\0') != std::string::npos)
        return refused(Error(FEAST_INVALID_ARGUMENT, "a string in a list has a NUL in it"));
      texts.push_back(item.c_str());
    }
    const auto set = [&](auto *f, auto **e) {
      return feast_frame_set_string_list(f, name.c_str(), offsets, texts.data(), validity, n, e);
    };
    return change(set, name);
  }
};

FEAST_REMOTE_END

#endif  // FEAST_REMOTE_FRAME_HPP
