/* main() returns while six threads make calls that each need a TLS handshake.
 * usage: exit_in_handshake URL CA_FILE */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

static feast_remote_t *remote;
static atomic_int calls;

static void *run(void *unused) {
  const int64_t id = 1;
  feast_request_t *req = ask(&id, 1);
  while (unused == NULL) { /* until the process ends */
    feast_response_t *resp = NULL;
    feast_get_online_features(remote, req, &resp, NULL);
    feast_response_free(resp);
    calls++;
  }
  return NULL;
}

int main(int argc, char **argv) {
  pthread_t thread;
  CHECK(argc == 3);
  feast_config_t *config = feast_config_new();
  CHECK_OK(feast_config_set(config, "path", argv[1], &err));
  CHECK_OK(feast_config_set(config, "cert", argv[2], &err));
  CHECK_OK(feast_remote_open(config, &remote, &err));
  feast_config_free(config);
  for (int i = 0; i < 6; i++) CHECK(pthread_create(&thread, NULL, run, NULL) == 0);
  const struct timespec millisecond = {0, 1000000};
  while (calls < 20) nanosleep(&millisecond, NULL);
  return 0;
}
