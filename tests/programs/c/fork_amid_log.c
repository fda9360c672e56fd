/* Forks while threads are in the log callback and others replace it: the child sets one of its own, and calls.
 * usage: fork_amid_log REFUSING_URL FORKS */
#define _GNU_SOURCE
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static feast_remote_t *remote;
static atomic_int stop, heard;

static void slow(int32_t level, const char *message, void *unused) {
  struct timespec a_moment = {0, 2000000};
  (void)level, (void)message, (void)unused;
  heard++;
  nanosleep(&a_moment, NULL);
}

static void quick(int32_t level, const char *message, void *own) {
  (void)level, (void)message;
  ++*(int *)own;
}

static void failing_call(void) {
  int64_t id = 1;
  feast_request_t *req = ask(&id, 1);
  feast_response_t *resp = NULL;
  CHECK_FAILS(feast_get_online_features(remote, req, &resp, &err), FEAST_SERVER, "HTTP 503");
  feast_request_free(req);
}

static void *call(void *unused) {
  while (!stop) failing_call();
  return unused;
}

static void *replace(void *unused) {
  while (!stop) feast_set_log_callback(slow, NULL, FEAST_LOG_INFO);
  return unused;
}

int main(int argc, char **argv) {
  pthread_t threads[3];
  CHECK(argc == 3);
  remote = open_at(argv[1]);
  feast_set_log_callback(slow, NULL, FEAST_LOG_INFO);
  for (int i = 0; i < 3; i++) CHECK(pthread_create(&threads[i], NULL, i < 2 ? call : replace, NULL) == 0);
  while (heard == 0) sched_yield();
  for (int i = 0; i < atoi(argv[2]); i++) {
    int own = 0, status = 0;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      alarm(20); /* ends a child that hangs */
      feast_set_log_callback(quick, &own, FEAST_LOG_INFO);
      failing_call();
      feast_set_log_callback(NULL, NULL, 0);
      _exit(own > 0 ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  stop = 1;
  for (int i = 0; i < 3; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  feast_set_log_callback(NULL, NULL, 0);
  feast_close(remote);
  return 0;
}
