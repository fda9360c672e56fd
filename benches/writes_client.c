/* Rows of driver_hourly_stats, seven columns, written to its online store. usage: writes_client URL ROWS */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "measure.h"

#include <feast_remote.h>
#include <inttypes.h>
#include <string.h>

static int failed(feast_error_t *err) {
  fprintf(stderr, "%s: %s\n", feast_status_name(feast_error_code(err)), feast_error_message(err));
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  const size_t rows = strtoull(argv[2], NULL, 10);
  int64_t *drivers = malloc(rows * sizeof *drivers), *trips = malloc(rows * sizeof *trips), *when = malloc(rows * sizeof *when);
  double *rates = malloc(rows * sizeof *rates);
  float *accuracies = malloc(rows * sizeof *accuracies);
  const char **cities = malloc(rows * sizeof *cities);
  bool *active = malloc(rows * sizeof *active);
  feast_config_t *config = feast_config_new();
  feast_remote_t *remote = NULL;
  feast_write_t *written = NULL;
  feast_error_t *err = NULL;
  if (drivers == NULL || trips == NULL || when == NULL || rates == NULL || accuracies == NULL || cities == NULL || active == NULL)
    return 1;
  for (size_t row = 0; row < rows; row++) {
    drivers[row] = 100000 + (int64_t)row;
    trips[row] = (int64_t)(row * 7919 % 1000);
    when[row] = INT64_C(1767225600000000000) + (int64_t)row * 1000000000;
    rates[row] = (double)(row * 7919 % 10007) / 10007;
    accuracies[row] = (float)(row % 1024) / 1024;
    cities[row] = row % 2 ? "K\xc3\xb6ln" : "Paris";
    active[row] = row % 3 != 0;
  }
  feast_config_set(config, "path", argv[1], NULL);
  feast_config_set(config, "request_timeout_ms", "600000", NULL);
  if (feast_remote_open(config, &remote, &err) != FEAST_OK) return failed(err);
  const double start = now(), cpu_start = cpu();
  feast_frame_t *frame = feast_frame_new();
  if (feast_frame_set_int64(frame, "driver_id", drivers, NULL, rows, &err) != FEAST_OK ||
      feast_frame_set_double(frame, "conv_rate", rates, NULL, rows, &err) != FEAST_OK ||
      feast_frame_set_float(frame, "acc_rate", accuracies, NULL, rows, &err) != FEAST_OK ||
      feast_frame_set_int64(frame, "avg_daily_trips", trips, NULL, rows, &err) != FEAST_OK ||
      feast_frame_set_string(frame, "home_city", cities, NULL, rows, &err) != FEAST_OK ||
      feast_frame_set_bool(frame, "is_active", active, NULL, rows, &err) != FEAST_OK ||
      feast_frame_set_timestamp_ns(frame, "event_timestamp", when, NULL, rows, &err) != FEAST_OK ||
      feast_write_to_online_store(remote, "driver_hourly_stats", frame, NULL, &written, &err) != FEAST_OK)
    return failed(err);
  const double seconds = now() - start, used = cpu() - cpu_start;
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("this_library rows=%zu requests=%" PRIu64 " seconds=%.2f rows/s=%.0f cpu=%.3fs cpu/row=%.2fus peak=%ldMB\n", rows,
         feast_write_requests(written), seconds, (double)rows / seconds, used, used / (double)rows * 1e6, usage.ru_maxrss / 1024);
  feast_write_free(written);
  feast_frame_free(frame);
  feast_close(remote);
  feast_config_free(config);
  free(drivers), free(trips), free(when), free(rates), free(accuracies), free(cities), free(active);
  return 0;
}
