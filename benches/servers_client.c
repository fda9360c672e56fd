/* Calls of one row and three features at several servers, for as long as its standard input is open.
 *   servers_client URLS CALLERS RATE [KEY=VALUE ...]
 * CALLERS threads in the blocking call, RATE calls a second in all at random moments, or with 0 as fast as answers come. Each
 * answer is compared with the driver asked for. Prints a line of JSON every tenth of a second: calls and errors so far,
 * percentiles of the calls since the line before, the share of them that took more than five times the median, and
 * feast_stats_json(); at the end the same of all calls. A line on its standard input begins these anew. */
#define _GNU_SOURCE
#include <feast_remote.h>
#include "measure.h"
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { DRIVERS = 1000, MOST_CALLS = 1 << 23 };

static feast_remote_t *remote;
static float *latencies;
static atomic_int done, errors;
static atomic_bool over;
static double rate;
static int all_callers;

static void die(const char *what, feast_error_t *err) {
  fprintf(stderr, "%s: %s\n", what, feast_error_message(err));
  exit(2);
}

static void *call(void *argument) {
  unsigned random = (unsigned)(uintptr_t)argument;
  feast_error_t *err = NULL;
  feast_request_t *request = feast_request_new();
  static const char *const features[] = {"conv_rate", "acc_rate", "avg_daily_trips"};
  for (int i = 0; i < 3; i++) {
    char name[64];
    snprintf(name, sizeof name, "driver_hourly_stats:%s", features[i]);
    if (feast_request_add_feature(request, name, &err) != FEAST_OK) die(name, err);
  }
  double due = now();
  while (!atomic_load_explicit(&over, memory_order_relaxed)) {
    double start = now();
    if (rate > 0) {
      due += -log((rand_r(&random) + 1.0) / (RAND_MAX + 2.0)) * all_callers / rate;
      if (due > start) usleep((useconds_t)((due - start) * 1e6));
      // Of a call that should have begun before, the waiting counts.
      start = due;
    }
    int64_t driver = 1001 + rand_r(&random) % DRIVERS;
    feast_response_t *response = NULL;
    if (feast_request_set_entity_int64(request, "driver_id", &driver, 1, &err) != FEAST_OK) die("driver_id", err);
    if (feast_get_online_features(remote, request, &response, &err) == FEAST_OK) {
      const int64_t *answered = feast_response_column_int64(response, 0);
      if (answered == NULL || *answered != driver) {
        fprintf(stderr, "an answer for another driver\n");
        exit(3);
      }
    } else {
      if (atomic_fetch_add(&errors, 1) == 0) fprintf(stderr, "%s\n", feast_error_message(err));
      feast_error_free(err);
      err = NULL;
    }
    feast_response_free(response);
    int at = atomic_fetch_add(&done, 1);
    if (at < MOST_CALLS) latencies[at] = (float)(now() - start);
  }
  feast_request_free(request);
  return NULL;
}

static int by_size(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static void percentiles(int from, int to) {
  int count = to - from;
  float *sorted = malloc((size_t)(count > 0 ? count : 1) * sizeof *sorted);
  memcpy(sorted, latencies + from, (size_t)count * sizeof *sorted);
  qsort(sorted, (size_t)count, sizeof *sorted, by_size);
  const double shares[] = {.5, .99, .999, 1};
  const char *const names[] = {"p50", "p99", "p999", "max"};
  for (int i = 0; i < 4; i++) {
    int at = (int)(count * shares[i]);
    printf(", \"%s\": %.0f", names[i], count == 0 ? 0 : sorted[at < count ? at : count - 1] * 1e6);
  }
  int slow = count;
  while (slow > 0 && sorted[slow - 1] > 5 * sorted[count / 2]) slow--;
  printf(", \"slow\": %.5f", count == 0 ? 0.0 : (double)(count - slow) / count);
  free(sorted);
}

static void line(double start, int from, int to) {
  char *stats = NULL;
  feast_error_t *err = NULL;
  if (feast_stats_json(remote, &stats, NULL, &err) != FEAST_OK) die("stats", err);
  printf("{\"t\": %.3f, \"calls\": %d, \"errors\": %d, \"n\": %d", now() - start, to, atomic_load(&errors), to - from);
  percentiles(from, to);
  printf(", \"stats\": %s}\n", stats);
  fflush(stdout);
  feast_string_free(stats);
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  feast_error_t *err = NULL;
  feast_config_t *config = feast_config_new();
  if (feast_config_set(config, "path", argv[1], &err) != FEAST_OK) die("path", err);
  for (int i = 4; i < argc; i++) {
    char *value = strchr(argv[i], '=');
    if (value == NULL) return 2;
    *value = '\0';
    if (feast_config_set(config, argv[i], value + 1, &err) != FEAST_OK) die(argv[i], err);
  }
  if (feast_remote_open(config, &remote, &err) != FEAST_OK) die("open", err);
  all_callers = atoi(argv[2]);
  rate = atof(argv[3]);
  latencies = malloc((size_t)MOST_CALLS * sizeof *latencies);
  pthread_t threads[256];
  double start = now();
  for (int i = 0; i < all_callers; i++) pthread_create(&threads[i], NULL, call, (void *)(uintptr_t)(i + 1));
  int first = 0, before = 0;
  struct pollfd input = {.fd = 0, .events = POLLIN};
  for (;;) {
    char byte[16];
    if (poll(&input, 1, 100) > 0) {
      if (read(0, byte, sizeof byte) <= 0) break;
      first = before = atomic_load(&done);
      continue;
    }
    int after = atomic_load(&done);
    if (after > MOST_CALLS) after = MOST_CALLS;
    line(start, before, after);
    before = after;
  }
  atomic_store(&over, true);
  for (int i = 0; i < all_callers; i++) pthread_join(threads[i], NULL);
  int all = atomic_load(&done);
  line(start, first, all < MOST_CALLS ? all : MOST_CALLS);
  feast_close(remote);
  feast_config_free(config);
  free(latencies);
  return 0;
}
