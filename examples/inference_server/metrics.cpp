#include "metrics.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

Metrics::Metrics(const std::vector<std::string> &features) : features_(features), missing_(features.size()) {}

void Metrics::end(int http_status, std::chrono::steady_clock::duration took) {
  const double seconds = std::chrono::duration<double>(took).count();
  in_flight_--;
  std::lock_guard<std::mutex> lock(mutex_);
  requests_[http_status]++;
  durations_[static_cast<std::size_t>(std::lower_bound(kBuckets.begin(), kBuckets.end(), seconds) - kBuckets.begin())]++;
  seconds_ += seconds;
}

void Metrics::scored(const FeatureMatrix &matrix) {
  rows_ += static_cast<long>(matrix.rows);
  for (std::size_t i = 0; i < matrix.statuses.size(); i++) {
    std::uint8_t status = std::min<std::uint8_t>(matrix.statuses[i], kOutsideMaxAge);
    // Feast says PRESENT of a null that was written.
    if (status == kPresent && std::isnan(matrix.values[i])) status = kNullValue;
    if (status != kPresent) missing_[i % matrix.columns][status]++;
  }
}

std::string Metrics::prometheus() const {
  static constexpr const char *kReasons[kFieldStatuses] = {"invalid", "present", "null", "not_found", "outside_max_age"};
  std::ostringstream text;
  text << "# TYPE inference_requests_in_flight gauge\ninference_requests_in_flight " << in_flight_ << '\n'
       << "# TYPE inference_rows_total counter\ninference_rows_total " << rows_ << '\n'
       << "# TYPE inference_features_missing_total counter\n";
  for (std::size_t feature = 0; feature < features_.size(); feature++)
    for (int status = 0; status < kFieldStatuses; status++)
      if (status != kPresent)
        text << "inference_features_missing_total{feature=\"" << features_[feature] << "\",reason=\"" << kReasons[status] << "\"} "
             << missing_[feature][static_cast<std::size_t>(status)] << '\n';
  std::lock_guard<std::mutex> lock(mutex_);
  text << "# TYPE inference_requests_total counter\n";
  for (const auto &[status, count] : requests_) text << "inference_requests_total{code=\"" << status << "\"} " << count << '\n';
  text << "# TYPE inference_request_duration_seconds histogram\n";
  long count = 0;
  for (std::size_t i = 0; i < kBuckets.size(); i++)
    text << "inference_request_duration_seconds_bucket{le=\"" << kBuckets[i] << "\"} " << (count += durations_[i]) << '\n';
  count += durations_.back();
  text << "inference_request_duration_seconds_bucket{le=\"+Inf\"} " << count << '\n'
       << "inference_request_duration_seconds_sum " << seconds_ << '\n'
       << "inference_request_duration_seconds_count " << count << '\n';
  return text.str();
}
