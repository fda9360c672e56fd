/* What a host sees: the times of a call, for programs that know more or fewer of them, and Prometheus' text.
 * usage: observed URL: of a server in good health */
#include "check.h"

/* As an older header had it, and a newer one. */
struct shorter {
  size_t size;
  int64_t start_unix_ns;
  uint64_t merge_wait_us;
};
struct longer {
  feast_timing_t known;
  uint64_t more[4];
};

static void times(feast_remote_t *remote) {
  const int64_t ids[] = {1, 2, 3};
  feast_request_t *req = ask(ids, 3);
  feast_response_t *resp = NULL;
  feast_timing_t timing = {.size = sizeof timing};
  CHECK_OK(feast_get_online_features(remote, req, &resp, &err));
  CHECK(feast_response_timing(resp, &timing) && timing.size == sizeof timing);
  CHECK(timing.attempts == 1 && timing.http_status == 200 && timing.rows == 3 && timing.calls_in_request == 1);
  CHECK(timing.flags == FEAST_TIMING_NEW_CONNECTION && timing.bytes_sent > 0 && timing.bytes_received > 0);
  CHECK(timing.total_us > 0 && timing.start_unix_ns > INT64_C(1700000000000000000));

  struct {
    struct shorter timing;
    uint64_t untouched;
  } old = {{.size = sizeof(struct shorter)}, 77};
  CHECK(feast_response_timing(resp, (feast_timing_t *)&old.timing));
  CHECK(old.timing.size == sizeof(struct shorter) && old.timing.start_unix_ns == timing.start_unix_ns && old.untouched == 77);
  struct longer new = {.known = {.size = sizeof(struct longer)}, .more = {1, 2, 3, 4}};
  CHECK(feast_response_timing(resp, &new.known));
  CHECK(new.known.size == sizeof(feast_timing_t) && new.known.total_us == timing.total_us && new.more[0] == 0 && new.more[3] == 0);
  timing.size = 4;
  CHECK(!feast_response_timing(resp, &timing) && !feast_response_timing(resp, NULL) && !feast_response_timing(NULL, &timing));
  feast_response_free(resp);

  feast_error_t *error = NULL;
  timing.size = sizeof timing;
  CHECK_OK(feast_request_set_timeout_ns(req, 0, &err));
  CHECK(feast_get_online_features(remote, req, &resp, &error) == FEAST_TIMEOUT);
  CHECK(feast_error_timing(error, &timing) && timing.attempts == 0 && timing.http_status == 0);
  CHECK(!feast_error_timing(NULL, &timing) && !feast_error_timing(error, NULL));
  feast_error_free(error);
  feast_request_free(req);
}

static void prometheus(feast_remote_t *remote, feast_remote_t *other, feast_remote_t *third) {
  const feast_remote_t *stores[] = {remote, other, third};
  const char *names[] = {"first \"store\"", NULL, "third"}, *same[] = {"x", "x"};
  char *text = NULL;
  size_t length = 0;
  CHECK_OK(feast_stats_prometheus(stores, names, 3, &text, &length, &err));
  CHECK(strlen(text) == length);
  CHECK(strstr(text, "feast_remote_calls_total{store=\"first \\\"store\\\"\",outcome=\"success\"} 1\n") != NULL);
  CHECK(strstr(text, "feast_remote_calls_total{store=\"http://127.0.0.1:") != NULL);
  fputs(text, stdout);
  feast_string_free(text);
  CHECK_OK(feast_stats_prometheus(stores, NULL, 1, &text, NULL, &err));
  feast_string_free(text);
  CHECK_FAILS(feast_stats_prometheus(stores, same, 2, &text, NULL, &err), FEAST_INVALID_ARGUMENT, "two stores are named `x`");
  CHECK(text == NULL);
  CHECK_FAILS(feast_stats_prometheus(stores, NULL, 0, &text, NULL, &err), FEAST_INVALID_ARGUMENT, "no stores");
  CHECK_FAILS(feast_stats_prometheus(NULL, NULL, 1, &text, NULL, &err), FEAST_INVALID_ARGUMENT, "stores is NULL");
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  feast_remote_t *remote = open_at(argv[1]), *other = open_at(argv[1]), *third = open_at(argv[1]);
  times(remote);
  prometheus(remote, other, third);
  feast_close(third);
  feast_close(other);
  feast_close(remote);
  return 0;
}
