/* In one process with the system's libcurl and OpenSSL, loaded before and after, in the global scope, and both used at once
 * over TLS: each stays with its own.
 * usage: beside_libcurl before|after LIBRARY URL CA_FILE */
#define _GNU_SOURCE
#include "check.h"
#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>

static void *must_load(const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    exit(1);
  }
  return library;
}

/* A function by its name, of the type that the header gives it. */
#define FUNCTION(library, name)                   \
  __typeof__(&name) name##_;                      \
  do {                                            \
    void *symbol = dlsym((library), #name);       \
    CHECK(symbol != NULL);                        \
    memcpy(&name##_, &symbol, sizeof name##_);    \
  } while (0)

static void *libcurl;
static const char *url, *ca_file;

static size_t count(char *bytes, size_t size, size_t n, void *total) {
  (void)bytes;
  *(size_t *)total += size * n;
  return size * n;
}

/* What a host that has its own libcurl does with it. */
static void *by_libcurl(void *unused) {
  FUNCTION(libcurl, curl_easy_init);
  FUNCTION(libcurl, curl_easy_setopt);
  FUNCTION(libcurl, curl_easy_perform);
  FUNCTION(libcurl, curl_easy_cleanup);
  char target[256];
  size_t total = 0;
  snprintf(target, sizeof target, "%s/get-online-features", url);
  CURL *easy = curl_easy_init_();
  curl_easy_setopt_(easy, CURLOPT_URL, target);
  curl_easy_setopt_(easy, CURLOPT_CAINFO, ca_file);
  curl_easy_setopt_(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt_(easy, CURLOPT_POSTFIELDS, "{\"features\":[\"v:a\",\"v:b\"],\"entities\":{\"id\":[1,2]}}");
  curl_easy_setopt_(easy, CURLOPT_WRITEFUNCTION, count);
  curl_easy_setopt_(easy, CURLOPT_WRITEDATA, &total);
  for (int i = 0; i < 200; i++) {
    /* A new handshake each time. */
    curl_easy_setopt_(easy, CURLOPT_FRESH_CONNECT, 1L);
    CURLcode result = curl_easy_perform_(easy);
    CHECK(result == CURLE_OK && total > 0);
    total = 0;
  }
  curl_easy_cleanup_(easy);
  return unused;
}

int main(int argc, char **argv) {
  const int64_t ids[] = {1, 2};
  pthread_t threads[2];
  void *ours = NULL;
  if (argc != 5) return 2;
  url = argv[3];
  ca_file = argv[4];
  if (strcmp(argv[1], "after") == 0) ours = must_load(argv[2]);
  void *crypto = must_load("libcrypto.so.3");
  libcurl = must_load("libcurl.so.4");
  if (ours == NULL) ours = must_load(argv[2]);

  FUNCTION(libcurl, curl_version);
  FUNCTION(ours, feast_version_string);
  /* "libcurl/7.88.1 ...", "0.1.0 (libcurl/8.22.0 ...": where ours were theirs, it would name their version. */
  const char *theirs = strstr(curl_version_(), "libcurl/"), *own = strstr(feast_version_string_(), "libcurl/");
  CHECK(theirs != NULL && own != NULL && strncmp(theirs, own, strcspn(theirs, " ")) != 0);
  CHECK(dlsym(ours, "curl_easy_init") == NULL && dlsym(ours, "SSL_new") == NULL && dlsym(crypto, "OPENSSL_init_crypto") != NULL);

  FUNCTION(libcurl, curl_global_init);
  CHECK(curl_global_init_(CURL_GLOBAL_DEFAULT) == CURLE_OK);
  FUNCTION(ours, feast_config_new);
  FUNCTION(ours, feast_config_set);
  FUNCTION(ours, feast_config_free);
  FUNCTION(ours, feast_remote_open);
  FUNCTION(ours, feast_request_new);
  FUNCTION(ours, feast_request_add_feature);
  FUNCTION(ours, feast_request_set_entity_int64);
  FUNCTION(ours, feast_request_free);
  FUNCTION(ours, feast_get_online_features);
  FUNCTION(ours, feast_response_free);
  FUNCTION(ours, feast_close);
  feast_config_t *config = feast_config_new_();
  feast_request_t *req = feast_request_new_();
  feast_response_t *resp = NULL;
  CHECK(feast_config_set_(config, "path", url, NULL) == FEAST_OK && feast_config_set_(config, "cert", ca_file, NULL) == FEAST_OK);
  CHECK(feast_request_add_feature_(req, "v:a", NULL) == FEAST_OK && feast_request_add_feature_(req, "v:b", NULL) == FEAST_OK);
  CHECK(feast_request_set_entity_int64_(req, "id", ids, 2, NULL) == FEAST_OK);
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, by_libcurl, NULL);
  for (int round = 0; round < 20; round++) {
    feast_remote_t *remote = NULL;
    CHECK(feast_remote_open_(config, &remote, NULL) == FEAST_OK);
    for (int i = 0; i < 20; i++) {
      CHECK(feast_get_online_features_(remote, req, &resp, NULL) == FEAST_OK);
      feast_response_free_(resp);
    }
    feast_close_(remote);
  }
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  feast_request_free_(req);
  feast_config_free_(config);
  /* One that goes leaves the other at work. */
  FUNCTION(libcurl, curl_global_cleanup);
  curl_global_cleanup_();
  CHECK(dlclose(libcurl) == 0 && dlclose(crypto) == 0);
  feast_config_t *again = feast_config_new_();
  feast_remote_t *remote = NULL;
  CHECK(feast_config_set_(again, "path", url, NULL) == FEAST_OK && feast_config_set_(again, "cert", ca_file, NULL) == FEAST_OK);
  CHECK(feast_remote_open_(again, &remote, NULL) == FEAST_OK);
  req = feast_request_new_();
  CHECK(feast_request_add_feature_(req, "v:a", NULL) == FEAST_OK && feast_request_add_feature_(req, "v:b", NULL) == FEAST_OK);
  CHECK(feast_request_set_entity_int64_(req, "id", ids, 2, NULL) == FEAST_OK);
  CHECK(feast_get_online_features_(remote, req, &resp, NULL) == FEAST_OK);
  feast_response_free_(resp);
  feast_request_free_(req);
  feast_close_(remote);
  feast_config_free_(again);
  return 0;
}
