// Searching documents by a vector.
#ifndef FEAST_REMOTE_SEARCH_HPP
#define FEAST_REMOTE_SEARCH_HPP

#include <feast_remote/detail.hpp>

FEAST_REMOTE_BEGIN

// A search; see feast_search_t. Setters return the search, to be chained.
class Search : public detail::Builder<Search, feast_search_t, feast_search_free> {
 public:
  Search() : Builder(feast_search_new()) {}
  // "view:feature", all of one view.
  Search &add_feature(const detail::Text &feature) {
    return change([&](auto *s, auto **e) { return feast_search_add_feature(s, feature.c_str(), e); }, feature);
  }
  // What the documents shall be near to.
  Search &set_query(const std::vector<float> &vector) { return set_query(vector.data(), vector.size()); }
  Search &set_query(const float *vector, std::size_t size) {
    return change([&](auto *s, auto **e) { return feast_search_set_query(s, vector, size, e); });
  }
  Search &set_top_k(std::size_t top_k) {
    return change([&](auto *s, auto **e) { return feast_search_set_top_k(s, top_k, e); });
  }
  // Such as "L2", "COSINE" or "IP".
  Search &set_distance_metric(const detail::Text &metric) {
    return change([&](auto *s, auto **e) { return feast_search_set_distance_metric(s, metric.c_str(), e); }, metric);
  }
  Search &set_filters(const detail::Text &json) {
    return change([&](auto *s, auto **e) { return feast_search_set_filters(s, json.c_str(), e); }, json);
  }
  // In place of the store's request_timeout_ms, rounded up to milliseconds.
  template <typename Rep, typename Period>
  Search &set_timeout(std::chrono::duration<Rep, Period> timeout) {
    const std::int64_t milliseconds = detail::milliseconds(timeout);
    return change([&](auto *s, auto **e) { return feast_search_set_timeout_ms(s, milliseconds, e); });
  }
};

FEAST_REMOTE_END

#endif  // FEAST_REMOTE_SEARCH_HPP
