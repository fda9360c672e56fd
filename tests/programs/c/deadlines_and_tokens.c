/* Deadlines that have passed, and tokens that cannot be sent: a clear error, and nothing goes over the network. */
#include "check.h"

int main(void) {
  const int64_t ids[] = {1, 2};
  feast_remote_t *remote = NULL;
  feast_response_t *resp = NULL;
  feast_request_t *req = feast_request_new();
  feast_config_t *config = feast_config_new();
  CHECK_OK(feast_config_set(config, "path", "http://127.0.0.1:9", &err));
  CHECK_OK(feast_remote_open(config, &remote, &err));
  CHECK_OK(feast_request_add_feature(req, "v:a", &err));
  CHECK_OK(feast_request_set_entity_int64(req, "id", ids, 2, &err));
  const int64_t past[] = {INT64_MIN, -1, 0, 1};
  for (size_t i = 0; i < 4; i++) {
    CHECK_OK(feast_request_set_deadline_ns(req, past[i], &err));
    CHECK_FAILS(feast_get_online_features(remote, req, &resp, &err), FEAST_TIMEOUT, "the time was up before anything was sent (0 attempts");
  }
  CHECK_FAILS(feast_remote_set_token(NULL, "t", &err), FEAST_INVALID_ARGUMENT, "remote is NULL");
  CHECK_FAILS(feast_remote_set_token(remote, NULL, &err), FEAST_INVALID_ARGUMENT, "token is NULL");
  CHECK_FAILS(feast_remote_set_token(remote, "", &err), FEAST_INVALID_ARGUMENT, "the token is empty");
  CHECK_FAILS(feast_remote_set_token(remote, "Bearer t", &err), FEAST_INVALID_ARGUMENT, "without `Bearer `");
  CHECK_OK(feast_request_set_deadline_ns(req, INT64_MAX, &err));
  CHECK_OK(feast_request_set_timeout_ns(req, -1, &err));
  CHECK_FAILS(feast_get_online_features(remote, req, &resp, &err), FEAST_TIMEOUT, "the time was up before anything was sent (0 attempts");
  CHECK_FAILS(feast_request_set_deadline_ns(NULL, 0, &err), FEAST_INVALID_ARGUMENT, "request is NULL");
  CHECK_FAILS(feast_request_set_timeout_ns(NULL, 0, &err), FEAST_INVALID_ARGUMENT, "request is NULL");
  CHECK(resp == NULL);
  feast_request_free(req);
  feast_config_free(config);
  feast_close(remote);
  return 0;
}
