/* Runs feast_remote_client.c as a plugin: this host does not link the library and knows nothing of Feast.
 *   plugin_host CLIENT.so sync|async BASE_URL ROWS FEATURES REQUESTS CONCURRENCY */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  int (*client)(int, char **);
  if (argc < 2) {
    fprintf(stderr, "usage: %s CLIENT.so ARGUMENTS\n", argv[0]);
    return 2;
  }
  void *plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  void *symbol = plugin == NULL ? NULL : dlsym(plugin, "main");
  if (symbol == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  memcpy(&client, &symbol, sizeof client); /* ISO C has no cast from an object's pointer to a function's */
  int result = client(argc - 1, argv + 1);
  return dlclose(plugin) == 0 ? result : 1;
}
