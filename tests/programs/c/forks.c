/* Forks while eight threads call: a child's first call is served on a connection of its own, or the child closes the
 * store, or exits at once; the parent's threads lose no call and keep their eight connections. With "merged" their calls
 * are merged, so that a fork meets members that wait, in line and on the wire.
 * usage: forks URL CA_FILE FORKS [merged] */
#define _GNU_SOURCE
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8 };
static feast_remote_t *remote;
static atomic_int stop;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void one_call(int64_t id) {
  feast_request_t *req = ask(&id, 1);
  feast_response_t *resp = NULL;
  CHECK_OK(feast_request_set_timeout_ms(req, 30000, &err));
  CHECK_OK(feast_get_online_features(remote, req, &resp, &err));
  CHECK(feast_response_column_int64(resp, 1)[0] == 1000 * id);
  feast_response_free(resp);
  feast_request_free(req);
}

static void *call(void *first) {
  for (int64_t id = (int64_t)(intptr_t)first; !stop; id += THREADS) one_call(id);
  return NULL;
}

int main(int argc, char **argv) {
  pthread_t threads[THREADS];
  double longest = 0;
  char *json = NULL;
  CHECK(argc == 4 || argc == 5);
  feast_config_t *config = feast_config_new();
  CHECK_OK(feast_config_set(config, "path", argv[1], &err));
  if (*argv[2]) CHECK_OK(feast_config_set(config, "cert", argv[2], &err));
  CHECK_OK(feast_config_set(config, "connection_retries", "0", &err));
  if (argc == 5) CHECK_OK(feast_config_set(config, "merge_max_rows", "64", &err));
  CHECK_OK(feast_remote_open(config, &remote, &err));
  feast_config_free(config);
  for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, call, (void *)(intptr_t)i) == 0);
  for (int i = 0; i < atoi(argv[3]); i++) {
    int status, took[2];
    CHECK(pipe(took) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      double start = now(), seconds;
      if (i % 3 == 0) one_call(i);
      seconds = i % 3 == 0 ? now() - start : 0;
      CHECK(write(took[1], &seconds, sizeof seconds) == sizeof seconds);
      if (i % 3 != 2) feast_close(remote);
      _exit(0);
    }
    double seconds = 0;
    CHECK(read(took[0], &seconds, sizeof seconds) == sizeof seconds);
    if (seconds > longest) longest = seconds;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(took[0]);
    close(took[1]);
  }
  stop = 1;
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  CHECK_OK(feast_stats_json(remote, &json, NULL, &err));
  if (argc == 5) CHECK(strstr(json, "\"calls_merged\":0,") == NULL);
  else CHECK(strstr(json, "\"connections_opened\":8,") != NULL || strstr(json, "\"connections_opened\":7,") != NULL);
  CHECK(strstr(json, "\"connections_closed_by_server\":0,") != NULL && strstr(json, "\"calls_failed\":0,") != NULL);
  feast_string_free(json);
  feast_close(remote);
  printf("the longest first call of a child took %.3f ms\n", longest * 1e3);
  return 0;
}
