/* Checks for the C tests: a failed one says where and ends the program with 1. */
#ifndef CHECK_H
#define CHECK_H

#include <dirent.h>
#include <feast_remote.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                     \
  do {                                                                                                       \
    if (!(condition)) {                                                                                      \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                        \
      exit(1);                                                                                               \
    }                                                                                                        \
  } while (0)

/* The call fails with this code, and its message has these words. */
#define CHECK_FAILS(call, code, words)                                                                       \
  do {                                                                                                       \
    feast_error_t *err = NULL;                                                                               \
    feast_status_t got = (call);                                                                             \
    if (got != (code) || err == NULL || feast_error_code(err) != (code) ||                                   \
        strstr(feast_error_message(err), (words)) == NULL) {                                                 \
      fprintf(stderr, "%s:%d: %s\n  returned %s: %s\n", __FILE__, __LINE__, #call, feast_status_name(got),   \
              feast_error_message(err));                                                                     \
      exit(1);                                                                                               \
    }                                                                                                        \
    feast_error_free(err);                                                                                   \
  } while (0)

/* The call succeeds, and leaves err alone. */
#define CHECK_OK(call)                                                                                       \
  do {                                                                                                       \
    feast_error_t *err = NULL;                                                                               \
    feast_status_t got = (call);                                                                             \
    if (got != FEAST_OK || err != NULL) {                                                                    \
      fprintf(stderr, "%s:%d: %s\n  returned %s: %s\n", __FILE__, __LINE__, #call, feast_status_name(got),   \
              feast_error_message(err));                                                                     \
      exit(1);                                                                                               \
    }                                                                                                        \
  } while (0)

/* The entries of a folder such as /proc/self/fd or /proc/self/task (proc(5)). */
static inline int entries(const char *folder) {
  int count = 0;
  DIR *listing = opendir(folder);
  CHECK(listing != NULL);
  while (readdir(listing) != NULL) count++;
  closedir(listing);
  return count;
}

/* Whether a folder has so many entries in the end: the kernel lists a thread a little longer than it can be joined. */
static inline bool entries_become(const char *folder, int count) {
  for (int look = 0; look < 100000; look++) {
    if (entries(folder) == count) return true;
    sched_yield();
  }
  return false;
}

static inline feast_remote_t *open_at(const char *url) {
  feast_config_t *config = feast_config_new();
  feast_remote_t *remote = NULL;
  CHECK_OK(feast_config_set(config, "path", url, &err));
  CHECK_OK(feast_config_set(config, "retry_backoff_factor", "0", &err));
  CHECK_OK(feast_remote_open(config, &remote, &err));
  feast_config_free(config);
  return remote;
}

/* Features v:a and v:b for the ids. */
static inline feast_request_t *ask(const int64_t *ids, size_t n) {
  feast_request_t *req = feast_request_new();
  CHECK_OK(feast_request_add_feature(req, "v:a", &err));
  CHECK_OK(feast_request_add_feature(req, "v:b", &err));
  CHECK_OK(feast_request_set_entity_int64(req, "id", ids, n, &err));
  return req;
}

#endif
