/* Loads the library and opens a store, which connects to nobody yet. */
#include <feast_remote.h>
#include <stdio.h>

int main(void) {
  feast_error_t *err = NULL;
  feast_remote_t *remote = NULL;
  feast_config_t *config = feast_config_new();
  int opened = feast_config_set(config, "path", "http://localhost:6566", &err) == FEAST_OK &&
               feast_remote_open(config, &remote, &err) == FEAST_OK;
  if (opened) printf("libfeast_remote %s\n", feast_version_string());
  else fprintf(stderr, "%s\n", feast_error_message(err));
  feast_error_free(err);
  feast_close(remote);
  feast_config_free(config);
  return opened && feast_version_number() == FEAST_VERSION_NUMBER ? 0 : 1;
}
