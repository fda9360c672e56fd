/* Several servers, as a program sees them.
 * usage: servers GOOD_URL DEAD_URL */
#include "check.h"

static feast_remote_t *open_with(const char *path, const char *key, const char *value) {
  feast_config_t *config = feast_config_new();
  feast_remote_t *remote = NULL;
  CHECK_OK(feast_config_set(config, "path", path, &err));
  CHECK_OK(feast_config_set(config, "balance", "in_order", &err));
  CHECK_OK(feast_config_set(config, key, value, &err));
  CHECK_OK(feast_remote_open(config, &remote, &err));
  feast_config_free(config);
  return remote;
}

static void answers_and_errors_name_their_server(const char *good, const char *dead) {
  char path[256];
  const int64_t ids[] = {1};
  feast_request_t *req = ask(ids, 1);
  feast_response_t *resp = NULL;
  snprintf(path, sizeof path, "%s, %s/", dead, good);
  feast_remote_t *remote = open_with(path, "connection_retries", "1");
  CHECK_OK(feast_get_online_features(remote, req, &resp, &err));
  CHECK(strcmp(feast_response_server(resp), good) == 0);
  feast_timing_t timing = {.size = sizeof timing};
  CHECK(feast_response_timing(resp, &timing) && timing.attempts == 2 && strcmp(timing.server, good) == 0);
  char *stats = NULL;
  CHECK_OK(feast_stats_json(remote, &stats, NULL, &err));
  CHECK(strstr(stats, "\"state\":\"set_aside\"") != NULL && strstr(stats, good) != NULL && strstr(stats, dead) != NULL);
  feast_string_free(stats);
  feast_close(remote);
  CHECK(strcmp(feast_response_server(resp), good) == 0);
  feast_response_free(resp);

  snprintf(path, sizeof path, "%s,%s/other", dead, dead);
  remote = open_with(path, "connection_retries", "1");
  feast_error_t *error = NULL;
  resp = NULL;
  CHECK(feast_get_online_features(remote, req, &resp, &error) == FEAST_CONNECT && resp == NULL);
  snprintf(path, sizeof path, "%s, %s/other: ", dead, dead);
  CHECK(strncmp(feast_error_message(error), path, strlen(path)) == 0);
  snprintf(path, sizeof path, "%s/other", dead);
  CHECK(strcmp(feast_error_server(error), path) == 0 && feast_error_attempts(error) == 2);
  feast_error_free(error);
  feast_close(remote);
  feast_request_free(req);
}

static void nothing_has_no_server(void) {
  CHECK(feast_response_server(NULL) == NULL && feast_error_server(NULL) == NULL);
  feast_error_t *error = NULL;
  CHECK(feast_get_online_features(NULL, NULL, NULL, &error) == FEAST_INVALID_ARGUMENT);
  CHECK(feast_error_server(error) == NULL);
  feast_error_free(error);
}

static void keys_that_make_no_sense_are_refused(const char *good) {
  feast_config_t *config = feast_config_new();
  char path[256];
  snprintf(path, sizeof path, "%s,%s/", good, good);
  CHECK_FAILS(feast_config_set(config, "path", path, &err), FEAST_CONFIG, "twice");
  CHECK_FAILS(feast_config_set(config, "path", "http://a,https://b", &err), FEAST_CONFIG, "beside https");
  CHECK_FAILS(feast_config_set(config, "path", "http://a,", &err), FEAST_CONFIG, "comma");
  CHECK_FAILS(feast_config_set(config, "balance", "fair", &err), FEAST_CONFIG, "least_busy, in_order");
  CHECK_FAILS(feast_config_set(config, "resolve", "twice", &err), FEAST_CONFIG, "once, each_address");
  CHECK_FAILS(feast_config_set(config, "hedge_percent", "-1", &err), FEAST_CONFIG, "from 0 to 50");
  feast_remote_t *remote = NULL;
  CHECK_OK(feast_config_set(config, "resolve", "each_address", &err));
  CHECK_OK(feast_config_set(config, "proxy", "http://127.0.0.1:1", &err));
  CHECK_FAILS(feast_remote_open(config, &remote, &err), FEAST_CONFIG, "proxy");
  feast_config_free(config);
}

/* Nothing is lost with what comes second, is looked up, or is set aside. */
static void hedges_addresses_and_checks_leak_nothing(const char *good, const char *dead) {
  char path[256];
  const int64_t ids[] = {1};
  feast_request_t *req = ask(ids, 1);
  snprintf(path, sizeof path, "%s,%s", good, dead);
  feast_config_t *config = feast_config_new();
  feast_remote_t *remote = NULL;
  CHECK_OK(feast_config_set(config, "path", path, &err));
  CHECK_OK(feast_config_set(config, "resolve", "each_address", &err));
  CHECK_OK(feast_config_set(config, "hedge_percent", "50", &err));
  CHECK_OK(feast_remote_open(config, &remote, &err));
  CHECK_OK(feast_remote_warm_up(remote, 2, 20000, &err));
  for (int i = 0; i < 250; i++) {
    feast_response_t *resp = NULL;
    CHECK_OK(feast_get_online_features(remote, req, &resp, &err));
    feast_response_free(resp);
  }
  feast_close(remote);
  feast_config_free(config);
  feast_request_free(req);
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  answers_and_errors_name_their_server(argv[1], argv[2]);
  nothing_has_no_server();
  keys_that_make_no_sense_are_refused(argv[1]);
  hedges_addresses_and_checks_leak_nothing(argv[1], argv[2]);
  return 0;
}
