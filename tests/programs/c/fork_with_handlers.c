/* A program's own fork handlers wait for a lock that a thread holds amid a call which retries, and call this library.
 * usage: fork_with_handlers REFUSING_URL */
#define _GNU_SOURCE
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t programs = PTHREAD_MUTEX_INITIALIZER;
static feast_remote_t *remote;
static atomic_int forking, held;

static void before(void) {
  forking = 1;
  pthread_mutex_lock(&programs);
}

static void parent(void) { pthread_mutex_unlock(&programs); }

static void child(void) {
  pthread_mutex_unlock(&programs);
  feast_set_log_callback(NULL, NULL, 0);
}

static void *call(void *unused) {
  int64_t id = 1;
  feast_request_t *req = ask(&id, 1);
  feast_response_t *resp = NULL;
  pthread_mutex_lock(&programs);
  held = 1;
  while (!forking) sched_yield();
  /* Each retry would like to be logged. */
  for (int i = 0; i < 100; i++)
    CHECK_FAILS(feast_get_online_features(remote, req, &resp, &err), FEAST_SERVER, "HTTP 503");
  pthread_mutex_unlock(&programs);
  feast_request_free(req);
  return unused;
}

int main(int argc, char **argv) {
  pthread_t thread;
  int status = 0;
  CHECK(argc == 2);
  alarm(60); /* ends a program that hangs */
  CHECK(pthread_atfork(before, parent, child) == 0);
  remote = open_at(argv[1]);
  CHECK(pthread_create(&thread, NULL, call, NULL) == 0);
  while (!held) sched_yield();
  pid_t forked = fork();
  CHECK(forked >= 0);
  if (forked == 0) _exit(0);
  CHECK(waitpid(forked, &status, 0) == forked && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  feast_close(remote);
  return 0;
}
