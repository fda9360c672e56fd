/* dlopen(), use, close and dlclose() again and again, as hosts of plugins do: no thread and no descriptor is left, memory
 * does not grow, and nothing runs before the first call.
 * usage: loaded_and_unloaded LIBRARY URL TIMES */
#define _GNU_SOURCE
#include "check.h"
#include <dlfcn.h>

#define FUNCTION(name) __typeof__(&name) name##_ = (__typeof__(&name))(uintptr_t)dlsym(library, #name)

/* Kilobytes of memory in use (proc(5)). */
static long resident(void) {
  char line[256];
  long kilobytes = 0;
  FILE *status = fopen("/proc/self/status", "r");
  CHECK(status != NULL);
  while (fgets(line, sizeof line, status) != NULL)
    if (sscanf(line, "VmRSS: %ld", &kilobytes) == 1) break;
  fclose(status);
  return kilobytes;
}

static void one_life(const char *path, int flags, const char *url) {
  const int64_t id = 3;
  const int threads = entries("/proc/self/task"), descriptors = entries("/proc/self/fd");
  feast_error_t *err = NULL;
  feast_remote_t *remote = NULL;
  feast_response_t *response = NULL;
  feast_queue_t *queue = NULL;
  void *library = dlopen(path, RTLD_NOW | flags);
  if (library == NULL) fprintf(stderr, "%s\n", dlerror());
  CHECK(library != NULL);
  CHECK(entries("/proc/self/task") == threads && entries("/proc/self/fd") == descriptors);
  FUNCTION(feast_config_new);
  FUNCTION(feast_config_set);
  FUNCTION(feast_config_free);
  FUNCTION(feast_remote_open);
  FUNCTION(feast_request_new);
  FUNCTION(feast_request_add_feature);
  FUNCTION(feast_request_set_entity_int64);
  FUNCTION(feast_request_free);
  FUNCTION(feast_get_online_features);
  FUNCTION(feast_get_online_features_async);
  FUNCTION(feast_response_column_int64);
  FUNCTION(feast_response_free);
  FUNCTION(feast_queue_open);
  FUNCTION(feast_queue_poll);
  FUNCTION(feast_queue_free);
  FUNCTION(feast_event_status);
  FUNCTION(feast_event_free);
  FUNCTION(feast_close);
  feast_config_t *config = feast_config_new_();
  feast_request_t *req = feast_request_new_();
  CHECK(feast_config_set_(config, "path", url, &err) == FEAST_OK);
  CHECK(feast_remote_open_(config, &remote, &err) == FEAST_OK);
  CHECK(feast_request_add_feature_(req, "v:a", &err) == FEAST_OK);
  CHECK(feast_request_set_entity_int64_(req, "id", &id, 1, &err) == FEAST_OK);
  CHECK(feast_get_online_features_(remote, req, &response, &err) == FEAST_OK);
  CHECK(feast_response_column_int64_(response, 1)[0] == 3000);
  CHECK(feast_queue_open_(&queue, &err) == FEAST_OK);
  CHECK(feast_get_online_features_async_(remote, req, queue, NULL, NULL, &err) == FEAST_OK);
  feast_event_t *event = feast_queue_poll_(queue, -1);
  CHECK(feast_event_status_(event) == FEAST_OK);
  feast_event_free_(event);
  feast_queue_free_(queue);
  feast_response_free_(response);
  feast_request_free_(req);
  feast_config_free_(config);
  feast_close_(remote);
  CHECK(dlclose(library) == 0);
  CHECK(entries_become("/proc/self/task", threads) && entries("/proc/self/fd") == descriptors);
}

int main(int argc, char **argv) {
  CHECK(argc == 4);
  const int flags[] = {RTLD_LOCAL, RTLD_GLOBAL, RTLD_LOCAL | RTLD_DEEPBIND};
  long before = 0;
  for (int i = 0; i < atoi(argv[3]); i++) {
    one_life(argv[1], flags[i % 3], argv[2]);
    if (i == atoi(argv[3]) / 10) before = resident();
  }
  printf("%ld KB more after the last life than after the first ones\n", resident() - before);
  CHECK(resident() < before + 1024);
  return 0;
}
