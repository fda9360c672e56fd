/* pthread_cancel of threads that are in calls: they return from them first, and the process goes on.
 * usage: cancelled_thread STALLING_URL */
#define _GNU_SOURCE
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>

static feast_remote_t *remote;
static feast_queue_t *queue;
static atomic_int returned;

static void *in_a_call(void *unused) {
  int64_t id = 1;
  feast_request_t *req = ask(&id, 1);
  feast_response_t *resp = NULL;
  CHECK_FAILS(feast_get_online_features(remote, req, &resp, &err), FEAST_CLOSED, "closed");
  feast_request_free(req);
  returned++;
  for (;;) pthread_testcancel();
  return unused;
}

static void *in_a_poll(void *unused) {
  CHECK(feast_queue_poll(queue, -1) == NULL);
  returned++;
  for (;;) pthread_testcancel();
  return unused;
}

int main(int argc, char **argv) {
  pthread_t caller, poller;
  void *outcome = NULL;
  CHECK(argc == 2);
  remote = open_at(argv[1]);
  CHECK_OK(feast_queue_open(&queue, &err));
  CHECK(pthread_create(&caller, NULL, in_a_call, NULL) == 0);
  CHECK(pthread_create(&poller, NULL, in_a_poll, NULL) == 0);
  char *json = NULL;
  for (bool on_the_wire = false; !on_the_wire; sched_yield()) {
    CHECK_OK(feast_stats_json(remote, &json, NULL, &err));
    on_the_wire = strstr(json, "\"connections_in_use\":1") != NULL;
    feast_string_free(json);
  }
  CHECK(pthread_cancel(caller) == 0 && pthread_cancel(poller) == 0);
  CHECK(returned == 0);
  feast_close(remote);
  feast_queue_wake(queue);
  CHECK(pthread_join(caller, &outcome) == 0 && outcome == PTHREAD_CANCELED);
  CHECK(pthread_join(poller, &outcome) == 0 && outcome == PTHREAD_CANCELED);
  CHECK(returned == 2);
  feast_queue_free(queue);
  return 0;
}
