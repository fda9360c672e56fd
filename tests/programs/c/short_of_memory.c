/* An answer of 24 MB with more and more memory to spare: each call succeeds or fails, and the process goes on.
 * usage: short_of_memory URL */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include <sys/resource.h>
#include <unistd.h>

static size_t virtual_size(void) {
  unsigned long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  CHECK(file != NULL && fscanf(file, "%lu", &pages) == 1);
  fclose(file);
  return pages * (size_t)sysconf(_SC_PAGESIZE);
}

int main(int argc, char **argv) {
  const int64_t id = 1;
  int succeeded = 0, failed = 0;
  CHECK(argc == 2);
  feast_remote_t *remote = open_at(argv[1]);
  feast_request_t *req = ask(&id, 1);
  CHECK_OK(feast_request_set_timeout_ms(req, 60000, &err));
  struct rlimit limit;
  CHECK(getrlimit(RLIMIT_AS, &limit) == 0);
  const rlim_t unlimited = limit.rlim_cur;
  for (size_t megabytes = 8; megabytes <= 512; megabytes += 56) {
    feast_response_t *resp = NULL;
    feast_error_t *err = NULL;
    limit.rlim_cur = virtual_size() + (megabytes << 20);
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    feast_status_t status = feast_get_online_features(remote, req, &resp, &err);
    limit.rlim_cur = unlimited;
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    if (status == FEAST_OK) {
      succeeded++;
      CHECK(feast_response_column_type(resp, 1) == FEAST_TYPE_INT64_LIST);
    } else {
      failed++;
      CHECK(strstr(feast_error_message(err), "memory") != NULL);
    }
    feast_response_free(resp);
    feast_error_free(err);
  }
  CHECK(succeeded > 0 && failed > 0);
  feast_request_free(req);
  feast_close(remote);
  return 0;
}
