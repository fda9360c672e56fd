/* Calls of one row and three features against a real Feast server, merged and not.
 *   merging_client URL plain|merged|hand|async|async-merged|open|open-merged|bad|bad-merged CALLERS SECONDS [N]
 * plain, merged: CALLERS threads in the blocking call, without and with merge_max_rows. hand: the same threads, merged by
 * this program into N requests at a time. async: CALLERS calls in flight from one thread. open: calls at random moments, N a
 * second. bad: one call in N asks for a driver that the server cannot read, and must fail; no other one may. Each answer is
 * compared with the driver asked for. Prints one line: calls/s, latency percentiles, this process's CPU a call, errors. */
#define _GNU_SOURCE
#include <feast_remote.h>
#include "measure.h"
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { DRIVERS = 1000, MOST_ROWS = 256, MOST_CALLS = 1 << 22 };

typedef struct {
  unsigned random;
  int64_t driver;
} caller_t;

static feast_remote_t *remote;
static double *latencies, until;
static atomic_int done, errors;
/* N of open and of bad, or 0. */
static int rate, bad_every, all_callers;

static void die(const char *what, feast_error_t *err) {
  fprintf(stderr, "%s: %s\n", what, feast_error_message(err));
  exit(2);
}

static void failed(feast_error_t *err) {
  if (atomic_fetch_add(&errors, 1) == 0) fprintf(stderr, "%s\n", feast_error_message(err));
  feast_error_free(err);
}

static void finished(double start) {
  int at = atomic_fetch_add(&done, 1);
  if (at < MOST_CALLS) latencies[at] = now() - start;
}

static feast_request_t *question(void) {
  static const char *const features[] = {"conv_rate", "acc_rate", "avg_daily_trips"};
  feast_request_t *request = feast_request_new();
  feast_error_t *err = NULL;
  char name[64];
  for (int i = 0; i < 3; i++) {
    snprintf(name, sizeof name, "driver_hourly_stats:%s", features[i]);
    if (feast_request_add_feature(request, name, &err) != FEAST_OK) die(name, err);
  }
  return request;
}

static void ask_for(feast_request_t *request, const int64_t *drivers, size_t n) {
  feast_error_t *err = NULL;
  if (feast_request_set_entity_int64(request, "driver_id", drivers, n, &err) != FEAST_OK) die("driver_id", err);
}

static void check(const feast_response_t *response, const int64_t *drivers, size_t n) {
  const int64_t *answered = feast_response_column_int64(response, 0);
  if (answered == NULL || feast_response_num_rows(response) != n || memcmp(answered, drivers, n * sizeof *drivers) != 0) {
    fprintf(stderr, "an answer for other drivers\n");
    exit(3);
  }
}

/* Asks for drivers as text, one of which cannot be read now and then: then the call must fail. */
static void call_maybe_badly(feast_request_t *request, caller_t *caller) {
  feast_response_t *response = NULL;
  feast_error_t *err = NULL;
  char text[16] = "abc";
  const char *value = text;
  int is_bad = rand_r(&caller->random) % bad_every == 0;
  size_t length = is_bad ? 3 : (size_t)sprintf(text, "%d", 1001 + rand_r(&caller->random) % DRIVERS);
  if (feast_request_set_entity_string(request, "driver_id", &value, &length, 1, &err) != FEAST_OK) die("driver_id", err);
  if ((feast_get_online_features(remote, request, &response, &err) == FEAST_OK) == is_bad) {
    if (is_bad) atomic_fetch_add(&errors, 1);
    else failed(err);
  } else {
    feast_error_free(err);
  }
  feast_response_free(response);
}

static void *call(void *argument) {
  caller_t *caller = argument;
  feast_request_t *request = question();
  double due = now();
  for (double start; (start = now()) < until; finished(rate > 0 ? due : start)) {
    if (rate > 0) {
      due += -log((rand_r(&caller->random) + 1.0) / (RAND_MAX + 2.0)) * all_callers / rate;
      if (due > start) usleep((useconds_t)((due - start) * 1e6));
    }
    if (bad_every > 0) {
      call_maybe_badly(request, caller);
      continue;
    }
    feast_response_t *response = NULL;
    feast_error_t *err = NULL;
    caller->driver = 1001 + rand_r(&caller->random) % DRIVERS;
    ask_for(request, &caller->driver, 1);
    if (feast_get_online_features(remote, request, &response, &err) == FEAST_OK) check(response, &caller->driver, 1);
    else failed(err);
    feast_response_free(response);
  }
  feast_request_free(request);
  return NULL;
}

/* Merged by hand: callers leave their driver and sleep, and a few threads ask for all that have come. */
typedef struct {
  int64_t driver;
  int answered;
  pthread_cond_t changed;
} waiter_t;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t come = PTHREAD_COND_INITIALIZER;
static waiter_t *line[4096];
static int waiting, over;

static void *call_by_hand(void *argument) {
  caller_t *caller = argument;
  waiter_t self = {0, 0, PTHREAD_COND_INITIALIZER};
  for (double start; (start = now()) < until; finished(start)) {
    self.driver = 1001 + rand_r(&caller->random) % DRIVERS;
    self.answered = 0;
    pthread_mutex_lock(&lock);
    line[waiting++] = &self;
    pthread_cond_signal(&come);
    while (!self.answered) pthread_cond_wait(&self.changed, &lock);
    pthread_mutex_unlock(&lock);
  }
  return NULL;
}

static void *merge_by_hand(void *argument) {
  (void)argument;
  waiter_t *asked[MOST_ROWS];
  int64_t drivers[MOST_ROWS];
  feast_request_t *request = question();
  for (;;) {
    pthread_mutex_lock(&lock);
    while (waiting == 0 && !over) pthread_cond_wait(&come, &lock);
    int count = waiting < MOST_ROWS ? waiting : MOST_ROWS;
    memcpy(asked, line, (size_t)count * sizeof *asked);
    memmove(line, line + count, (size_t)(waiting - count) * sizeof *line);
    waiting -= count;
    pthread_mutex_unlock(&lock);
    if (count == 0) break;
    feast_response_t *response = NULL;
    feast_error_t *err = NULL;
    for (int i = 0; i < count; i++) drivers[i] = asked[i]->driver;
    ask_for(request, drivers, (size_t)count);
    if (feast_get_online_features(remote, request, &response, &err) == FEAST_OK) check(response, drivers, (size_t)count);
    else failed(err);
    feast_response_free(response);
    pthread_mutex_lock(&lock);
    for (int i = 0; i < count; i++) {
      asked[i]->answered = 1;
      pthread_cond_signal(&asked[i]->changed);
    }
    pthread_mutex_unlock(&lock);
  }
  feast_request_free(request);
  return NULL;
}

typedef struct {
  double start;
  int64_t driver;
} job_t;

static void run_async(int callers) {
  feast_error_t *err = NULL;
  feast_queue_t *queue = NULL;
  feast_event_t *events[64];
  feast_request_t *request = question();
  unsigned random = 1;
  job_t *jobs = calloc((size_t)callers, sizeof *jobs);
  int in_flight = 0;
  if (feast_queue_open(&queue, &err) != FEAST_OK) die("queue", err);
#define SUBMIT(job)                                                                                              \
  do {                                                                                                           \
    (job)->start = now();                                                                                        \
    (job)->driver = 1001 + rand_r(&random) % DRIVERS;                                                            \
    ask_for(request, &(job)->driver, 1);                                                                         \
    if (feast_get_online_features_async(remote, request, queue, (job), NULL, &err) != FEAST_OK) die("submit", err); \
    in_flight++;                                                                                                 \
  } while (0)
  for (int i = 0; i < callers; i++) SUBMIT(&jobs[i]);
  while (in_flight > 0) {
    size_t count = feast_queue_poll_batch(queue, -1, events, sizeof events / sizeof *events);
    for (size_t i = 0; i < count; i++) {
      job_t *job = feast_event_tag(events[i]);
      in_flight--;
      if (feast_event_status(events[i]) == FEAST_OK) {
        feast_response_t *response = feast_event_take_response(events[i]);
        check(response, &job->driver, 1);
        feast_response_free(response);
      } else {
        atomic_fetch_add(&errors, 1);
      }
      feast_event_free(events[i]);
      finished(job->start);
      if (now() < until) SUBMIT(job);
    }
  }
  feast_request_free(request);
  feast_queue_free(queue);
  free(jobs);
}

int main(int argc, char **argv) {
  feast_error_t *err = NULL;
  char name[64];
  if (argc < 5) {
    fprintf(stderr, "usage: %s URL WAY CALLERS SECONDS [N]\n", argv[0]);
    return 2;
  }
  const char *way = argv[2];
  int callers = atoi(argv[3]), in_flight = argc > 5 ? atoi(argv[5]) : 0;
  all_callers = callers;
  if (strncmp(way, "open", 4) == 0) rate = in_flight;
  if (strncmp(way, "bad", 3) == 0) bad_every = in_flight;
  const char *const keys[][2] = {{"path", argv[1]}, {"connection_pool_size", "256"}, {"request_timeout_ms", "30000"},
                                 {"merge_max_rows", strstr(way, "merged") != NULL ? "256" : "0"}};
  feast_config_t *config = feast_config_new();
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    if (feast_config_set(config, keys[i][0], keys[i][1], &err) != FEAST_OK) die(keys[i][0], err);
  if (feast_remote_open(config, &remote, &err) != FEAST_OK) die("open", err);
  latencies = malloc(sizeof *latencies * MOST_CALLS);
  pthread_t *threads = malloc((size_t)callers * sizeof *threads), mergers[16];
  caller_t *state = calloc((size_t)callers, sizeof *state);
  double start = now(), cpu_start = cpu();
  until = start + atof(argv[4]);
  int by_hand = strcmp(way, "hand") == 0;
  if (strncmp(way, "async", 5) == 0) {
    run_async(callers);
  } else {
    for (int i = 0; i < callers; i++) {
      state[i].random = (unsigned)i + 1;
      pthread_create(&threads[i], NULL, by_hand ? call_by_hand : call, &state[i]);
    }
    for (int i = 0; by_hand && i < in_flight; i++) pthread_create(&mergers[i], NULL, merge_by_hand, NULL);
    for (int i = 0; i < callers; i++) pthread_join(threads[i], NULL);
    pthread_mutex_lock(&lock);
    over = 1;
    pthread_cond_broadcast(&come);
    pthread_mutex_unlock(&lock);
    for (int i = 0; by_hand && i < in_flight; i++) pthread_join(mergers[i], NULL);
  }
  snprintf(name, sizeof name, in_flight > 0 ? "%s-%d" : "%s", way, in_flight);
  report(name, callers, done < MOST_CALLS ? done : MOST_CALLS, latencies, now() - start, cpu() - cpu_start, errors);
  if (getenv("MERGING_STATISTICS") != NULL) {
    char *json = NULL;
    if (feast_stats_json(remote, &json, NULL, NULL) == FEAST_OK) fprintf(stderr, "%s\n", json);
    feast_string_free(json);
  }
  feast_config_free(config);
  feast_close(remote);
  free(latencies);
  free(threads);
  free(state);
  return errors != 0;
}
