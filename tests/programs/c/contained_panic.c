/* A real panic inside the library, of whatever build: the program's own clock_gettime(), which the library calls, fails when asked
 * to, and Rust's standard library panics then. It must become an error of that call, and the store must go on; also on a thread
 * that then ends.
 * usage: contained_panic URL CA_FILE FEATURE ENTITY; over TLS, of the row 1001 */
#define _GNU_SOURCE /* syscall */
#include "check.h"
#include <errno.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* On this thread the clock fails when it is read for the so-manieth time, from 0; below 0 it works. */
static _Thread_local int fails_at = -1;

int clock_gettime(clockid_t clock, struct timespec *now) {
  if (clock == CLOCK_MONOTONIC && fails_at >= 0 && fails_at-- == 0) {
    errno = EINVAL;
    return -1;
  }
  return (int)syscall(SYS_clock_gettime, clock, now);
}

static char **arguments;

static feast_remote_t *open_over_tls(void) {
  feast_config_t *config = feast_config_new();
  feast_remote_t *remote = NULL;
  CHECK_OK(feast_config_set(config, "path", arguments[1], &err));
  CHECK_OK(feast_config_set(config, "cert", arguments[2], &err));
  CHECK_OK(feast_remote_open(config, &remote, &err));
  feast_config_free(config);
  return remote;
}

static void *panics(void *unused) {
  const int64_t id = 1001;
  feast_remote_t *remote = open_over_tls();
  feast_request_t *req = feast_request_new();
  CHECK_OK(feast_request_add_feature(req, arguments[3], &err));
  CHECK_OK(feast_request_set_entity_int64(req, arguments[4], &id, 1, &err));
  int contained = 0;
  for (int reads = 0, reached = 1; reached; reads++) {
    feast_response_t *resp = NULL;
    feast_error_t *err = NULL;
    fails_at = reads;
    feast_status_t status = feast_get_online_features(remote, req, &resp, &err);
    reached = fails_at < 0;
    fails_at = -1;
    if (status == FEAST_PANIC) {
      CHECK(resp == NULL && strstr(feast_error_message(err), "a bug in libfeast_remote") != NULL);
      contained++;
    } else {
      CHECK(status == FEAST_OK); /* libcurl, which reads it too, takes another clock */
    }
    feast_error_free(err);
    feast_response_free(resp);
    CHECK_OK(feast_get_online_features(remote, req, &resp, &err));
    CHECK(feast_response_num_rows(resp) == 1);
    feast_response_free(resp);
  }
  CHECK(contained >= 2);
  feast_request_free(req);
  feast_close(remote);
  return unused;
}

int main(int argc, char **argv) {
  pthread_t thread;
  if (argc != 5) return 2;
  arguments = argv;
  panics(NULL);
  CHECK(pthread_create(&thread, NULL, panics, NULL) == 0 && pthread_join(thread, NULL) == 0);
  return 0;
}
