/* A load client on the public header; decodes every answer.
 *   feast_remote_client sync|async BASE_URL ROWS FEATURES REQUESTS CONCURRENCY
 * sync: CONCURRENCY threads, each in the blocking call. async: one thread, that many calls in flight. Prints one line:
 * requests/s, latency percentiles, this process's CPU a request, errors; async also how long a submission takes. */
#define _GNU_SOURCE
#include <feast_remote.h>
#include "measure.h"
#include <pthread.h>
#include <string.h>

typedef struct {
  feast_remote_t *remote;
  feast_request_t *request;
  int calls, errors;
  double *latencies;
} worker_t;

static void die(const char *what, feast_error_t *err) {
  fprintf(stderr, "%s: %s\n", what, feast_error_message(err));
  exit(2);
}

static void *run(void *argument) {
  worker_t *worker = argument;
  for (int i = 0; i < worker->calls; i++) {
    feast_response_t *response = NULL;
    feast_error_t *err = NULL;
    double start = now();
    if (feast_get_online_features(worker->remote, worker->request, &response, &err) != FEAST_OK) {
      if (worker->errors++ == 0) fprintf(stderr, "%s\n", feast_error_message(err));
      feast_error_free(err);
    }
    feast_response_free(response);
    worker->latencies[i] = now() - start;
  }
  return NULL;
}

static void submit(feast_remote_t *remote, feast_request_t *request, feast_queue_t *queue, double *started,
                   double *submission) {
  feast_error_t *err = NULL;
  *started = now();
  if (feast_get_online_features_async(remote, request, queue, started, NULL, &err) != FEAST_OK) die("submit", err);
  *submission = now() - *started;
}

/* A call's latency ends when its answer is decoded. */
static int run_async(feast_remote_t *remote, feast_request_t *request, int total, int in_flight, double *latencies,
                     double *submissions) {
  feast_error_t *err = NULL;
  feast_queue_t *queue = NULL;
  feast_event_t *events[64];
  double *started = malloc((size_t)total * sizeof *started);
  int begun = 0, finished = 0, errors = 0;
  if (feast_queue_open(&queue, &err) != FEAST_OK) die("queue", err);
  for (; begun < in_flight && begun < total; begun++) submit(remote, request, queue, &started[begun], &submissions[begun]);
  while (finished < total) {
    size_t count = feast_queue_poll_batch(queue, -1, events, sizeof events / sizeof *events);
    for (size_t i = 0; i < count; i++) {
      latencies[finished++] = now() - *(double *)feast_event_tag(events[i]);
      if (feast_event_status(events[i]) != FEAST_OK && errors++ == 0)
        fprintf(stderr, "%s\n", feast_error_message(feast_event_error(events[i])));
      feast_event_free(events[i]);
      if (begun < total) {
        submit(remote, request, queue, &started[begun], &submissions[begun]);
        begun++;
      }
    }
  }
  feast_queue_free(queue);
  free(started);
  return errors;
}

static feast_request_t *question(int rows, int features) {
  feast_request_t *request = feast_request_new();
  feast_error_t *err = NULL;
  char name[64];
  int64_t *ids = malloc((size_t)rows * sizeof *ids);
  for (int i = 0; i < rows; i++) ids[i] = 1000 + i;
  for (int i = 0; i < features; i++) {
    snprintf(name, sizeof name, "stats:feature_%03d", i);
    if (feast_request_add_feature(request, name, &err) != FEAST_OK) die(name, err);
  }
  if (feast_request_set_entity_int64(request, "driver_id", ids, (size_t)rows, &err) != FEAST_OK) die("entity", err);
  free(ids);
  return request;
}

int main(int argc, char **argv) {
  feast_error_t *err = NULL;
  feast_remote_t *remote = NULL;
  char pool_size[16];
  if (argc != 7) {
    fprintf(stderr, "usage: %s sync|async BASE_URL ROWS FEATURES REQUESTS CONCURRENCY\n", argv[0]);
    return 2;
  }
  int async = strcmp(argv[1], "async") == 0;
  int total = atoi(argv[5]), threads = atoi(argv[6]), each = total / threads, done = each * threads, errors = 0;
  snprintf(pool_size, sizeof pool_size, "%d", threads > 50 ? threads : 50);
  feast_config_t *config = feast_config_new();
  if (feast_config_set(config, "path", argv[2], &err) != FEAST_OK) die("path", err);
  if (feast_config_set(config, "connection_pool_size", pool_size, &err) != FEAST_OK) die("pool", err);
  if (feast_remote_open(config, &remote, &err) != FEAST_OK) die("open", err);
  feast_request_t *request = question(atoi(argv[3]), atoi(argv[4]));
  double *latencies = malloc((size_t)done * sizeof *latencies);
  pthread_t *ids = malloc((size_t)threads * sizeof *ids);
  worker_t *workers = malloc((size_t)threads * sizeof *workers);

  double start = now(), cpu_start = cpu();
  double *submissions = malloc((size_t)done * sizeof *submissions);
  if (async) errors = run_async(remote, request, done, threads, latencies, submissions);
  for (int i = 0; i < threads && !async; i++) {
    workers[i] = (worker_t){remote, request, each, 0, latencies + (size_t)i * (size_t)each};
    pthread_create(&ids[i], NULL, run, &workers[i]);
  }
  for (int i = 0; i < threads && !async; i++) {
    pthread_join(ids[i], NULL);
    errors += workers[i].errors;
  }
  double seconds = now() - start, cpu_seconds = cpu() - cpu_start;
  report(async ? "feast_remote-async" : "feast_remote-sync", threads, done, latencies, seconds, cpu_seconds, errors);
  if (async) {
    qsort(submissions, (size_t)done, sizeof *submissions, ascending);
    printf("  submit p50=%.1fus p99=%.1fus\n", submissions[done / 2] * 1e6, submissions[(int)(done * .99)] * 1e6);
  }
  free(submissions);
  free(latencies);
  free(ids);
  free(workers);
  feast_request_free(request);
  feast_config_free(config);
  feast_close(remote);
  return errors != 0;
}
