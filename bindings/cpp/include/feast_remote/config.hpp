// The settings of a store.
#ifndef FEAST_REMOTE_CONFIG_HPP
#define FEAST_REMOTE_CONFIG_HPP

#include <feast_remote/detail.hpp>

#include <charconv>

FEAST_REMOTE_BEGIN

// Settings; CONFIGURATION.md lists the keys. One thread at a time.
class Config : public detail::Builder<Config, feast_config_t, feast_config_free> {
 public:
  Config() : Builder(feast_config_new()) {}
  // As text, as it stands in a feature_store.yaml.
  Config &set(const detail::Text &key, const detail::Text &value) {
    return change([&](auto *c, auto **e) { return feast_config_set(c, key.c_str(), value.c_str(), e); }, key, value);
  }
  // A number or a boolean.
  template <typename T, typename = std::enable_if_t<std::is_arithmetic_v<T>>>
  Config &set(const detail::Text &key, T value) {
    static_assert(!std::is_same_v<T, char> && !std::is_same_v<T, wchar_t>, "a character is no number");
    if constexpr (std::is_same_v<T, bool>) {
      return set(key, value ? "true" : "false");
    } else {
      char text[64] = {};
      std::to_chars(text, text + sizeof text - 1, value);
      return set(key, static_cast<const char *>(text));
    }
  }
  // A time, for a key whose name says its unit, milliseconds or seconds; milliseconds are rounded up.
  template <typename Rep, typename Period>
  Config &set(const detail::Text &key, std::chrono::duration<Rep, Period> time) {
    const std::string_view name = key.c_str() == nullptr ? "" : key.c_str();
    if (ends_with(name, "_ms")) return set(key, detail::milliseconds(time));
    if (ends_with(name, "_seconds")) return set(key, std::chrono::duration<double>(time).count());
    return refused(Error(FEAST_CONFIG, "`" + std::string(name) + "` takes no time: its name ends neither in _ms nor in _seconds"));
  }
  // Takes over the settings of a feature_store.yaml.
  Config &load_yaml(const detail::Text &path) {
    return change([&](auto *c, auto **e) { return feast_config_load_yaml(c, path.c_str(), e); }, path);
  }

 private:
  static bool ends_with(std::string_view text, std::string_view end) {
    return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
  }
};

FEAST_REMOTE_END

#endif  // FEAST_REMOTE_CONFIG_HPP
