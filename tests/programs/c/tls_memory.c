/* Fifty threads make a call each; then the process's resident memory in bytes, on stdout.
 * usage: tls_memory URL CA_FILE POOL_SIZE */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include <pthread.h>
#include <unistd.h>

enum { CALLERS = 50 };

static void *call(void *remote) {
  const int64_t id = 1;
  feast_request_t *req = ask(&id, 1);
  feast_response_t *resp = NULL;
  CHECK_OK(feast_request_set_timeout_ms(req, 60000, &err));
  CHECK_OK(feast_get_online_features(remote, req, &resp, &err));
  feast_response_free(resp);
  feast_request_free(req);
  return NULL;
}

static long resident(void) {
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  CHECK(file != NULL && fscanf(file, "%*d %ld", &pages) == 1);
  fclose(file);
  return pages * sysconf(_SC_PAGESIZE);
}

int main(int argc, char **argv) {
  pthread_t callers[CALLERS];
  feast_remote_t *remote = NULL;
  feast_config_t *config = feast_config_new();
  CHECK(argc == 4);
  CHECK_OK(feast_config_set(config, "path", argv[1], &err));
  CHECK_OK(feast_config_set(config, "cert", argv[2], &err));
  CHECK_OK(feast_config_set(config, "connection_pool_size", argv[3], &err));
  CHECK_OK(feast_remote_open(config, &remote, &err));
  feast_config_free(config);
  for (int i = 0; i < CALLERS; i++) CHECK(pthread_create(&callers[i], NULL, call, remote) == 0);
  for (int i = 0; i < CALLERS; i++) pthread_join(callers[i], NULL);
  printf("%ld\n", resident());
  feast_close(remote);
  return 0;
}
