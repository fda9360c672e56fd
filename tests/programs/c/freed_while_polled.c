/* A queue is freed while threads wait in it and an event comes: each returns, with NULL or with the event. A store is closed by
 * two threads at once, while others call.
 * usage: freed_while_polled HEALTHY_URL ROUNDS */
#define _GNU_SOURCE
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { THREADS = 4 };

static atomic_int pollers[THREADS]; /* thread ids, once they are about to poll */
static feast_queue_t *queue;

static void *poll_once(void *index) {
  atomic_store(&pollers[(intptr_t)index], gettid());
  feast_event_free(feast_queue_poll(queue, -1));
  return NULL;
}

/* Whether a thread sleeps (proc(5)); the first thing that these can sleep in is the poll. */
static bool sleeps(int thread) {
  char path[64], text[256] = "";
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
  FILE *file = fopen(path, "r");
  if (file == NULL) return true; /* it has ended */
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = 0;
  const char *state = strrchr(text, ')');
  return state != NULL && state[2] == 'S';
}

static void free_while_polled(feast_remote_t *remote, feast_request_t *req, bool with_event) {
  pthread_t threads[THREADS];
  CHECK_OK(feast_queue_open(&queue, &err));
  for (intptr_t i = 0; i < THREADS; i++) {
    atomic_store(&pollers[i], 0);
    CHECK(pthread_create(&threads[i], NULL, poll_once, (void *)i) == 0);
  }
  for (int i = 0; i < THREADS; i++)
    while (atomic_load(&pollers[i]) == 0 || !sleeps(atomic_load(&pollers[i]))) sched_yield();
  if (with_event) CHECK_OK(feast_get_online_features_async(remote, req, queue, NULL, NULL, &err));
  feast_queue_free(queue);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

static feast_remote_t *closing;

static void *call_until_closed(void *req) {
  feast_response_t *resp = NULL;
  feast_status_t status;
  while ((status = feast_get_online_features(closing, req, &resp, NULL)) == FEAST_OK) feast_response_free(resp);
  CHECK(status == FEAST_CLOSED);
  return NULL;
}

static void *close_it(void *unused) {
  feast_close(closing);
  return unused;
}

static void close_twice_amid_calls(const char *url, feast_request_t *req) {
  pthread_t callers[THREADS], closers[2];
  closing = open_at(url);
  for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&callers[i], NULL, call_until_closed, req) == 0);
  for (int i = 0; i < 2; i++) CHECK(pthread_create(&closers[i], NULL, close_it, NULL) == 0);
  for (int i = 0; i < 2; i++) pthread_join(closers[i], NULL);
  for (int i = 0; i < THREADS; i++) pthread_join(callers[i], NULL);
}

int main(int argc, char **argv) {
  const int64_t id = 1;
  if (argc != 3) return 2;
  feast_remote_t *remote = open_at(argv[1]);
  feast_request_t *req = ask(&id, 1);
  for (int round = 0; round < atoi(argv[2]); round++) {
    free_while_polled(remote, req, round % 2 == 1);
    close_twice_amid_calls(argv[1], req);
  }
  feast_request_free(req);
  feast_close(remote);
  return 0;
}
