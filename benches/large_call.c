/* One call of many rows after the other, in one request each or in parts, by turns; all of it several times, each time on
 * new connections: which of the server's workers a connection goes to is luck, and the library has to find two that are
 * with different ones.
 *   large_call URL ROWS MAX_ROWS CALLS ROUNDS */
#define _GNU_SOURCE
#include <feast_remote.h>
#include "measure.h"

static feast_error_t *err;

static void check(feast_status_t status) {
  if (status == FEAST_OK) return;
  fprintf(stderr, "%s\n", feast_error_message(err));
  exit(2);
}

static feast_remote_t *open_at(const char *url, const char *max_rows) {
  feast_config_t *config = feast_config_new();
  feast_remote_t *remote = NULL;
  check(feast_config_set(config, "path", url, &err));
  check(feast_config_set(config, "request_timeout_ms", "0", &err));
  check(feast_config_set(config, "max_rows_per_request", max_rows, &err));
  check(feast_remote_open(config, &remote, &err));
  feast_config_free(config);
  return remote;
}

int main(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: %s URL ROWS MAX_ROWS CALLS ROUNDS\n", argv[0]);
    return 2;
  }
  static const char *const features[] = {"conv_rate", "acc_rate", "avg_daily_trips", "home_city", "is_active"};
  size_t rows = (size_t)atoi(argv[2]);
  int calls = atoi(argv[4]), rounds = atoi(argv[5]);
  double *latencies[] = {malloc((size_t)calls * sizeof(double)), malloc((size_t)calls * sizeof(double))};
  feast_request_t *req = feast_request_new();
  int64_t *drivers = malloc(rows * sizeof *drivers);
  char name[64];
  for (size_t row = 0; row < rows; row++) drivers[row] = 1001 + (int64_t)row % 20;
  for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
    snprintf(name, sizeof name, "driver_hourly_stats:%s", features[i]);
    check(feast_request_add_feature(req, name, &err));
  }
  check(feast_request_set_entity_int64(req, "driver_id", drivers, rows, &err));
  double *ratios = malloc((size_t)rounds * sizeof *ratios);
  for (int round = 0; round < rounds; round++) {
    feast_remote_t *remotes[] = {open_at(argv[1], "0"), open_at(argv[1], argv[3])};
    for (int i = -20; i < calls; i++) { /* the first ones warm the server up and find connections */
      for (int way = 0; way < 2; way++) {
        feast_response_t *response = NULL;
        double start = now();
        check(feast_get_online_features(remotes[way], req, &response, &err));
        if (i >= 0) latencies[way][i] = now() - start;
        feast_response_free(response);
      }
    }
    for (int way = 0; way < 2; way++) {
      qsort(latencies[way], (size_t)calls, sizeof(double), ascending);
      feast_close(remotes[way]);
    }
    ratios[round] = latencies[0][calls / 2] / latencies[1][calls / 2];
    printf("%zu rows: p50=%.1fms in one request, %.1fms in parts of %s\n", rows, latencies[0][calls / 2] * 1e3,
           latencies[1][calls / 2] * 1e3, argv[3]);
  }
  qsort(ratios, (size_t)rounds, sizeof *ratios, ascending);
  printf("in parts it is %.2f to %.2f times as fast, p50=%.2f\n", ratios[0], ratios[rounds - 1], ratios[rounds / 2]);
  free(ratios);
  free(latencies[0]);
  free(latencies[1]);
  free(drivers);
  feast_request_free(req);
  return 0;
}
