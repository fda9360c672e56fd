/* A client_key that is encrypted is an error, and nobody is asked for its passphrase.
 * usage: encrypted_key URL CLIENT_CERT CLIENT_KEY */
#include "check.h"

int main(int argc, char **argv) {
  feast_config_t *config = feast_config_new();
  feast_remote_t *remote = NULL;
  feast_response_t *resp = NULL;
  int64_t id = 1;
  CHECK(argc == 4);
  feast_request_t *req = ask(&id, 1);
  CHECK_OK(feast_config_set(config, "path", argv[1], &err));
  CHECK_OK(feast_config_set(config, "client_cert", argv[2], &err));
  CHECK_OK(feast_config_set(config, "client_key", argv[3], &err));
  CHECK_OK(feast_remote_open(config, &remote, &err));
  CHECK_FAILS(feast_get_online_features(remote, req, &resp, &err), FEAST_TLS, "client_key");
  feast_close(remote);
  feast_request_free(req);
  feast_config_free(config);
  return 0;
}
