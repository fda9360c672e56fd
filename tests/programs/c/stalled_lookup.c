/* A name lookup that never ends: a call in it is cancelled, times out, and is closed, all the same.
 * The library's getaddrinfo() is the one below. */
#define _GNU_SOURCE
#include "check.h"
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <time.h>
#include <unistd.h>

static sem_t looking;

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res) {
  (void)node, (void)service, (void)hints, (void)res;
  sem_post(&looking);
  for (;;) pause();
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void ends_with(feast_queue_t *queue, feast_status_t status) {
  feast_event_t *event = feast_queue_poll(queue, 60000);
  CHECK(event != NULL);
  CHECK(feast_event_status(event) == status);
  feast_event_free(event);
}

int main(void) {
  const int64_t id = 1;
  feast_queue_t *queue = NULL;
  feast_call_t *call = NULL;
  feast_remote_t *remote = open_at("http://no-such-host.invalid:1");
  feast_request_t *req = ask(&id, 1);
  CHECK(sem_init(&looking, 0, 0) == 0);
  CHECK_OK(feast_queue_open(&queue, &err));

  CHECK_OK(feast_request_set_timeout_ms(req, 50, &err));
  CHECK_OK(feast_get_online_features_async(remote, req, queue, NULL, NULL, &err));
  ends_with(queue, FEAST_TIMEOUT);
  feast_response_t *resp = NULL;
  CHECK_FAILS(feast_get_online_features(remote, req, &resp, &err), FEAST_TIMEOUT, "looking up the server's name");

  CHECK_OK(feast_request_set_timeout_ms(req, 3600 * 1000, &err));
  while (sem_trywait(&looking) == 0) {}
  CHECK_OK(feast_get_online_features_async(remote, req, queue, NULL, &call, &err));
  usleep(20000); /* it is in the lookup, or behind another one */
  double start = now();
  feast_call_cancel(call);
  ends_with(queue, FEAST_CANCELLED);
  printf("cancelled in a name lookup after %.3f ms\n", (now() - start) * 1e3);
  feast_call_free(call);

  CHECK_OK(feast_get_online_features_async(remote, req, queue, NULL, NULL, &err));
  usleep(20000);
  start = now();
  feast_close(remote);
  printf("closed in a name lookup after %.3f ms\n", (now() - start) * 1e3);
  ends_with(queue, FEAST_CLOSED);
  feast_queue_free(queue);
  feast_request_free(req);
  return 0;
}
