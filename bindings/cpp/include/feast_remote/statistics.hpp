// Figures of several stores.
#ifndef FEAST_REMOTE_STATISTICS_HPP
#define FEAST_REMOTE_STATISTICS_HPP

#include <feast_remote/remote.hpp>

FEAST_REMOTE_BEGIN

// The figures of several stores, by their names, in Prometheus' text format, to be served under /metrics. Any thread.
inline std::string stats_prometheus(const std::vector<std::pair<std::string, const Remote *>> &stores, Error *error = nullptr) {
  std::vector<const feast_remote_t *> handles;
  std::vector<const char *> names;
  for (const auto &store : stores) {
    if (store.first.find('\0') != std::string::npos) {
      detail::refuse(error, Error(FEAST_INVALID_ARGUMENT, "the name of a store has a NUL in it"));
      return {};
    }
    names.push_back(store.first.c_str());
    handles.push_back(store.second->get());
  }
  char *text = nullptr;
  std::size_t size = 0;
  detail::call(error, [&](feast_error_t **e) {
    return feast_stats_prometheus(handles.data(), names.data(), handles.size(), &text, &size, e);
  });
  return detail::taken(text, size);
}

FEAST_REMOTE_END

#endif  // FEAST_REMOTE_STATISTICS_HPP
