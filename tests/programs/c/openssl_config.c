/* Opens a store and makes one call; prints what came of it.
 * usage: openssl_config URL CA_FILE [OPENSSL_CONFIG] */
#include "check.h"

static int failed(const char *step, feast_error_t *err) {
  printf("%s: %s: %s\n", step, feast_status_name(feast_error_code(err)), feast_error_message(err));
  feast_error_free(err);
  return 0;
}

int main(int argc, char **argv) {
  const int64_t id = 1;
  feast_config_t *config = feast_config_new();
  feast_remote_t *remote = NULL;
  feast_response_t *resp = NULL;
  feast_error_t *err = NULL;
  if (argc < 3) return 2;
  feast_request_t *req = ask(&id, 1);
  CHECK(feast_config_set(config, "path", argv[1], NULL) == FEAST_OK);
  CHECK(feast_config_set(config, "cert", argv[2], NULL) == FEAST_OK);
  CHECK(feast_config_set(config, "connection_retries", "0", NULL) == FEAST_OK);
  if (argc > 3) CHECK(feast_config_set(config, "openssl_config", argv[3], NULL) == FEAST_OK);
  if (feast_remote_open(config, &remote, &err) != FEAST_OK) return failed("open", err);
  if (feast_get_online_features(remote, req, &resp, &err) != FEAST_OK) return failed("call", err);
  puts("answered");
  feast_response_free(resp);
  feast_close(remote);
  feast_request_free(req);
  feast_config_free(config);
  return 0;
}
