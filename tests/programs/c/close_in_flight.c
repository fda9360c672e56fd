/* Calls in flight at a server that never answers return CLOSED when another thread closes the store; calls on a
 * closed store do too; a second store goes on; no thread and no descriptor is left.
 * usage: close_in_flight STALLING_URL HEALTHY_URL [crowd] */
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>

enum { CALLERS = 32 };
static feast_remote_t *stalled;
static atomic_int closed;
static int crowd; /* callers go on calling the closed store, which must not keep feast_close() from ending */

static void *call(void *unused) {
  const int64_t id = 1;
  feast_request_t *req = ask(&id, 1);
  feast_response_t *resp = NULL;
  (void)unused;
  CHECK_OK(feast_request_set_timeout_ms(req, 60000, &err));
  do CHECK_FAILS(feast_get_online_features(stalled, req, &resp, &err), FEAST_CLOSED, "closed");
  while (crowd && !closed);
  feast_request_free(req);
  return NULL;
}

static void *close_it(void *unused) {
  (void)unused;
  feast_close(stalled);
  return NULL;
}

int main(int argc, char **argv) {
  pthread_t callers[CALLERS], closers[2];
  const int64_t id = 1;
  feast_response_t *resp = NULL;
  CHECK(argc >= 3);
  crowd = argc > 3;
  const int threads = entries("/proc/self/task"), descriptors = entries("/proc/self/fd");
  feast_config_t *config = feast_config_new();
  CHECK_OK(feast_config_set(config, "path", argv[1], &err));
  /* Four of the callers are on the wire, the others wait for a place. */
  CHECK_OK(feast_config_set(config, "connection_pool_size", "4", &err));
  CHECK_OK(feast_remote_open(config, &stalled, &err));
  feast_config_free(config);
  feast_remote_t *healthy = open_at(argv[2]);
  for (int i = 0; i < CALLERS; i++) CHECK(pthread_create(&callers[i], NULL, call, NULL) == 0);
  /* The test's server has seen as many requests as there are places before it says so. */
  CHECK(getchar() == 'g');
  for (int i = 0; i < 2; i++) CHECK(pthread_create(&closers[i], NULL, close_it, NULL) == 0);
  for (int i = 0; i < 2; i++) pthread_join(closers[i], NULL);
  closed = 1;
  for (int i = 0; i < CALLERS; i++) pthread_join(callers[i], NULL);

  feast_request_t *req = ask(&id, 1);
  CHECK_FAILS(feast_get_online_features(stalled, req, &resp, &err), FEAST_CLOSED, "closed");
  feast_close(stalled);
  CHECK_OK(feast_get_online_features(healthy, req, &resp, &err));
  CHECK(feast_response_column_int64(resp, 2)[0] == 1001);
  feast_response_free(resp);
  feast_request_free(req);
  feast_close(healthy);
  CHECK(entries_become("/proc/self/task", threads));
  CHECK(entries("/proc/self/fd") == descriptors);
  return 0;
}
