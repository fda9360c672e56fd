// The server's own figures, for Prometheus. Any thread may count.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "features.hpp"

class Metrics {
 public:
  explicit Metrics(const std::vector<std::string> &features);
  void begin() { in_flight_++; }
  void end(int http_status, std::chrono::steady_clock::duration took);
  // What was scored, and what of it the model had to do without.
  void scored(const FeatureMatrix &matrix);
  std::string prometheus() const;

 private:
  static constexpr std::array<double, 12> kBuckets{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5};  // seconds

  std::vector<std::string> features_;
  std::atomic<long> in_flight_{0};
  std::atomic<long> rows_{0};
  std::vector<std::array<std::atomic<long>, kFieldStatuses>> missing_;  // by feature and status
  mutable std::mutex mutex_;                                            // for what follows
  std::map<int, long> requests_;                                        // by HTTP status
  std::array<long, kBuckets.size() + 1> durations_{};
  double seconds_ = 0;
};
