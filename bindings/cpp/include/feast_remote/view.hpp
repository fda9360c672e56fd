// Columns of a response without a copy: numbers, strings, and lists of these. All borrowed from the response, valid while it
// lives; cheap to copy; any thread may read them.
#ifndef FEAST_REMOTE_VIEW_HPP
#define FEAST_REMOTE_VIEW_HPP

#include <feast_remote/detail.hpp>

#if __has_include(<version>)
#include <version>
#endif
#ifdef __cpp_lib_ranges
#include <ranges>
#endif

FEAST_REMOTE_BEGIN
namespace detail {

inline Error no_row(std::size_t row, std::size_t rows) {
  return Error(FEAST_INVALID_ARGUMENT, "there is no row " + std::to_string(row) + " among " + std::to_string(rows));
}

// Walks over what gives its elements by operator[].
template <typename Sequence>
class Iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = decltype(std::declval<const Sequence &>()[0]);
  using difference_type = std::ptrdiff_t;
  using pointer = void;
  using reference = value_type;

  Iterator() = default;
  Iterator(const Sequence &sequence, std::size_t at) : sequence_(sequence), at_(at) {}
  value_type operator*() const { return sequence_[at_]; }
  Iterator &operator++() {
    ++at_;
    return *this;
  }
  Iterator operator++(int) {
    Iterator before = *this;
    ++at_;
    return before;
  }
  bool operator==(const Iterator &other) const noexcept { return at_ == other.at_; }
  bool operator!=(const Iterator &other) const noexcept { return at_ != other.at_; }

 private:
  Sequence sequence_;
  std::size_t at_ = 0;
};

}  // namespace detail

// Values of a column, as std::span<const T>, which it converts to.
template <typename T>
class View {
 public:
  using value_type = T;

  View() = default;
  View(const T *data, std::size_t size) : data_(data), size_(data == nullptr ? 0 : size) {}
  const T *data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  const T *begin() const noexcept { return data_; }
  const T *end() const noexcept { return data_ + size_; }
  // Not checked.
  const T &operator[](std::size_t i) const { return data_[i]; }
  // Checked: beyond the last one it is an error, and T() if that is reported.
  T at(std::size_t i, Error *error = nullptr) const {
    if (i < size_) {
      detail::forget(error);
      return data_[i];
    }
    detail::refuse(error, detail::no_row(i, size_));
    return T();
  }

 private:
  const T *data_ = nullptr;
  std::size_t size_ = 0;
};

// Which rows have a value.
class Validity {
 public:
  Validity() = default;
  // Arrow's bitmap, nullptr if every row has a value.
  Validity(const std::uint8_t *bits, std::size_t size) : bits_(bits), size_(size) {}
  std::size_t size() const noexcept { return size_; }
  bool has_nulls() const noexcept { return bits_ != nullptr; }
  const std::uint8_t *bits() const noexcept { return bits_; }
  // false beyond the last row, too.
  bool operator[](std::size_t row) const noexcept {
    return row < size_ && (bits_ == nullptr || (bits_[row / 8] >> (row % 8) & 1) != 0);
  }

 private:
  const std::uint8_t *bits_ = nullptr;
  std::size_t size_ = 0;
};

// Strings, or bytes: row i is data()[offsets()[i]] up to data()[offsets()[i + 1]]. A null is empty.
class Texts {
 public:
  using value_type = std::string_view;

  Texts() = default;
  Texts(const std::int64_t *offsets, const char *data, std::size_t size)
      : offsets_(offsets), data_(data), size_(offsets == nullptr ? 0 : size) {}
  const std::int64_t *offsets() const noexcept { return offsets_; }
  const char *data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  // Not checked.
  std::string_view operator[](std::size_t i) const {
    return {data_ + offsets_[i], static_cast<std::size_t>(offsets_[i + 1] - offsets_[i])};
  }
  // Checked: beyond the last one it is an error, and empty if that is reported.
  std::string_view at(std::size_t i, Error *error = nullptr) const {
    if (i < size_) {
      detail::forget(error);
      return (*this)[i];
    }
    detail::refuse(error, detail::no_row(i, size_));
    return {};
  }
  detail::Iterator<Texts> begin() const { return {*this, 0}; }
  detail::Iterator<Texts> end() const { return {*this, size_}; }

 private:
  const std::int64_t *offsets_ = nullptr;
  const char *data_ = nullptr;
  std::size_t size_ = 0;
};

namespace detail {

// The lists of a column: row i is the items offsets()[i] up to offsets()[i + 1]. A null has none.
template <typename List>
class ListsOf {
 public:
  using value_type = List;

  ListsOf() = default;
  // `items`: all of them; `item_bits`: which of them have a value.
  ListsOf(const std::int64_t *offsets, List items, const std::uint8_t *item_bits, std::size_t size)
      : offsets_(offsets), items_(items), item_validity_(item_bits, items.size()), size_(offsets == nullptr ? 0 : size) {}
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  const std::int64_t *offsets() const noexcept { return offsets_; }
  // Those of all rows, one list behind the other: a matrix if width() says so and no row is null.
  List items() const noexcept { return items_; }
  // Which items have a value. Those that have none are 0.
  Validity item_validity() const noexcept { return item_validity_; }
  // The number of items of each list, if it is the same; empty lists and nulls do not count.
  std::optional<std::size_t> width() const noexcept {
    std::int64_t width = 0;
    for (std::size_t row = 0; row < size_; row++) {
      const std::int64_t length = offsets_[row + 1] - offsets_[row];
      if (length == 0 || length == width) continue;
      if (width != 0) return std::nullopt;
      width = length;
    }
    return width == 0 ? std::nullopt : std::optional<std::size_t>(static_cast<std::size_t>(width));
  }
  // Not checked.
  List operator[](std::size_t row) const {
    return part(items_, static_cast<std::size_t>(offsets_[row]), static_cast<std::size_t>(offsets_[row + 1] - offsets_[row]));
  }
  // Checked: beyond the last one it is an error, and empty if that is reported.
  List at(std::size_t row, Error *error = nullptr) const {
    if (row < size_) {
      forget(error);
      return (*this)[row];
    }
    refuse(error, no_row(row, size_));
    return List();
  }
  Iterator<ListsOf> begin() const { return {*this, 0}; }
  Iterator<ListsOf> end() const { return {*this, size_}; }

 private:
  template <typename T>
  static View<T> part(View<T> items, std::size_t first, std::size_t size) {
    return {size == 0 ? nullptr : items.data() + first, size};
  }
  static Texts part(const Texts &items, std::size_t first, std::size_t size) {
    return {size == 0 ? nullptr : items.offsets() + first, items.data(), size};
  }

  const std::int64_t *offsets_ = nullptr;
  List items_;
  Validity item_validity_;
  std::size_t size_ = 0;
};

}  // namespace detail

// Lists of numbers: one View a row.
template <typename T>
using Lists = detail::ListsOf<View<T>>;

// Lists of strings or bytes: one Texts a row.
using TextLists = detail::ListsOf<Texts>;

FEAST_REMOTE_END

#ifdef __cpp_lib_ranges
template <typename T>
inline constexpr bool std::ranges::enable_borrowed_range<feast::View<T>> = true;
template <typename T>
inline constexpr bool std::ranges::enable_view<feast::View<T>> = true;
#endif

#endif  // FEAST_REMOTE_VIEW_HPP
