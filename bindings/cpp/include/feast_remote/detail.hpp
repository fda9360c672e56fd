// What the other headers share. Nothing here is for programs.
#ifndef FEAST_REMOTE_DETAIL_HPP
#define FEAST_REMOTE_DETAIL_HPP

#include <feast_remote/error.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

FEAST_REMOTE_BEGIN
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

// Tells why something failed; false.
inline bool refuse(Error *report, const Error &why) {
  if (report != nullptr) {
    *report = why;
    return false;
  }
#if FEAST_REMOTE_EXCEPTIONS
  throw why;
#else
  std::terminate();
#endif
}

// Of an error that was reported to the same place before nothing stays.
inline void forget(Error *report) {
  if (report != nullptr && *report) *report = Error();
}

// A string for C, which ends it at the first NUL. Neither nullptr nor 0 is one.
class Text {
 public:
  Text(const char *text) : text_(text) {}                                                                 // NOLINT: converts
  Text(const std::string &text) : text_(text.c_str()), has_nul_(text.find('\0') != std::string::npos) {}  // NOLINT: converts
  Text(std::string_view text) : copy_(text), text_(copy_.c_str()), has_nul_(text.find('\0') != text.npos) {}  // NOLINT
  Text(std::nullptr_t) = delete;
  Text(int) = delete;
  Text(const Text &) = delete;
  Text &operator=(const Text &) = delete;
  const char *c_str() const noexcept { return text_; }
  bool is_usable() const noexcept { return !has_nul_; }
  Error why() const { return Error(FEAST_INVALID_ARGUMENT, "a string has a NUL in it"); }

 private:
  std::string copy_;
  const char *text_;
  bool has_nul_ = false;
};

// Runs a C function that takes a feast_error_t **; `report` or else an exception gets its error, or why something that it uses
// cannot be used.
template <typename Call, typename... Used>
bool call(Error *report, Call &&function, const Used &...used) {
  if (!(used.is_usable() && ...)) {
    Error why;
    (void)((used.is_usable() || (why = used.why(), false)) && ...);
    return refuse(report, why);
  }
  feast_error_t *error = nullptr;
  if (function(&error) == FEAST_OK) {
    forget(report);
    return true;
  }
  Owned<feast_error_t, feast_error_free> owned(error);
  return refuse(report, Error(error));
}

template <typename T>
T *allocated(T *object) {
#if FEAST_REMOTE_EXCEPTIONS
  if (object == nullptr) throw std::bad_alloc();
#else
  if (object == nullptr) std::terminate();
#endif
  return object;
}

// An object with setters that return it, to be chained.
template <typename Self, typename T, auto free_function>
class Builder {
 public:
  const T *get() const noexcept { return object_.get(); }
#if FEAST_REMOTE_EXCEPTIONS
  bool is_usable() const noexcept { return true; }
  Error why() const { return Error(); }
#else
  // The first one of the setters.
  const Error &error() const noexcept { return error_; }
  bool is_usable() const noexcept { return !error_; }
  Error why() const { return error_; }
#endif

 protected:
  explicit Builder(T *object) : object_(allocated(object)) {}
  template <typename Change, typename... Used>
  Self &change(Change &&function, const Used &...used) {
    const auto changed = [&](feast_error_t **e) { return function(object_.get(), e); };
#if FEAST_REMOTE_EXCEPTIONS
    call(nullptr, changed, used...);
#else
    if (!error_) call(&error_, changed, used...);
#endif
    return static_cast<Self &>(*this);
  }
  // What came before the setter failed.
  Self &refused(const Error &why) {
#if FEAST_REMOTE_EXCEPTIONS
    throw why;
#else
    if (!error_) error_ = why;
    return static_cast<Self &>(*this);
#endif
  }

 private:
  Owned<T, free_function> object_;
#if !FEAST_REMOTE_EXCEPTIONS
  Error error_;
#endif
};

// A string that the library gave as the caller's own.
inline std::string taken(char *text, std::size_t size) {
  Owned<char, feast_string_free> owned(text);
  return text == nullptr ? std::string() : std::string(text, size);
}

// The nanoseconds of a duration of any unit; what they cannot hold is the longest there is.
template <typename Rep, typename Period>
std::int64_t nanoseconds(std::chrono::duration<Rep, Period> time) {
  using Seconds = std::chrono::duration<long double>;
  const long double seconds = std::chrono::duration_cast<Seconds>(time).count();
  if (seconds >= 9.2e9L) return INT64_MAX;
  if (seconds <= -9.2e9L) return INT64_MIN;
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
}

// The milliseconds, rounded up, so that a short time does not become none.
template <typename Rep, typename Period>
std::int64_t milliseconds(std::chrono::duration<Rep, Period> time) {
  return std::chrono::ceil<std::chrono::milliseconds>(time).count();
}

template <typename T>
using Plain = std::remove_cv_t<std::remove_reference_t<T>>;

template <typename T>
inline constexpr bool is_text = std::is_convertible_v<const T &, std::string_view>;

template <typename T, typename = void>
inline constexpr bool is_range = false;
template <typename T>
inline constexpr bool is_range<T, std::void_t<decltype(std::begin(std::declval<const T &>()) != std::end(std::declval<const T &>())),
                                              typename T::value_type>> = !is_text<T>;

// Whether its values lie one behind the other as an array of T.
template <typename Range, typename T, typename = void>
inline constexpr bool is_array_of = false;
template <typename Range, typename T>
inline constexpr bool is_array_of<Range, T, std::void_t<decltype(std::data(std::declval<const Range &>()))>> =
    std::is_same_v<decltype(std::data(std::declval<const Range &>())), const T *> ||
    std::is_same_v<decltype(std::data(std::declval<const Range &>())), T *>;

// Whether values of type T can be written to it.
template <typename Out, typename T, typename = void>
inline constexpr bool is_room_for = false;
template <typename Out, typename T>
inline constexpr bool is_room_for<Out, T, std::void_t<decltype(std::data(std::declval<Out &>()))>> =
    std::is_same_v<decltype(std::data(std::declval<Out &>())), T *>;

template <typename T>
inline constexpr bool is_optional = false;
template <typename T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <typename T>
inline constexpr bool is_time = false;
template <typename Duration>
inline constexpr bool is_time<std::chrono::time_point<std::chrono::system_clock, Duration>> = true;

// Integers that an int64 holds, whatever their value.
template <typename T>
inline constexpr bool is_integer =
    std::is_integral_v<T> && !std::is_same_v<T, bool> && (std::is_signed_v<T> || sizeof(T) < sizeof(std::int64_t));

// Calls `use` with a pointer to values of type T and their number: those of the range, or copies.
template <typename T, typename Range, typename Use>
decltype(auto) with_array_of(const Range &range, Use &&use) {
  if constexpr (is_array_of<Range, T>) {
    return use(static_cast<const T *>(std::data(range)), static_cast<std::size_t>(std::size(range)));
  } else {
    const std::size_t size = static_cast<std::size_t>(std::distance(std::begin(range), std::end(range)));
    std::unique_ptr<T[]> copies(new T[size + 1]());  // no std::vector, whose booleans are bits
    std::size_t i = 0;
    for (auto &&value : range) copies[i++] = static_cast<T>(value);
    return use(static_cast<const T *>(copies.get()), size);
  }
}

// Strings as C takes them: borrowed.
struct Strings {
  std::vector<const char *> texts;
  std::vector<std::size_t> lengths;
  void add(std::string_view text) {
    texts.push_back(text.data() == nullptr ? "" : text.data());
    lengths.push_back(text.size());
  }
  void add_null() {
    texts.push_back(nullptr);
    lengths.push_back(0);
  }
};

// Of a range of strings, which outlives it.
template <typename Range>
Strings strings(const Range &range) {
  Strings borrowed;
  for (const auto &text : range) borrowed.add(text);
  return borrowed;
}

}  // namespace detail
FEAST_REMOTE_END

#endif  // FEAST_REMOTE_DETAIL_HPP
