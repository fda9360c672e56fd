/* Linked with the static library and with another libcurl and OpenSSL, both used at once over TLS: each stays with its own, and
 * threads of each begin and end.
 * usage: linked_beside_libcurl URL CA_FILE; prints the libcurl and OpenSSL of each */
#include "check.h"
#include <curl/curl.h>
#include <openssl/crypto.h>
#include <pthread.h>

static const char *url, *ca_file;

static size_t count(char *bytes, size_t size, size_t n, void *total) {
  (void)bytes;
  *(size_t *)total += size * n;
  return size * n;
}

static void *by_libcurl(void *unused) {
  char target[256];
  size_t total = 0;
  snprintf(target, sizeof target, "%s/get-online-features", url);
  CURL *easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, target);
  curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "{\"features\":[\"v:a\",\"v:b\"],\"entities\":{\"id\":[1,2]}}");
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, count);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &total);
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
  for (int i = 0; i < 50; i++) {
    CHECK(curl_easy_perform(easy) == CURLE_OK && total > 0);
    total = 0;
  }
  curl_easy_cleanup(easy);
  return unused;
}

static void *by_feast(void *unused) {
  const int64_t ids[] = {1, 2};
  feast_request_t *req = ask(ids, 2);
  feast_config_t *config = feast_config_new();
  CHECK_OK(feast_config_set(config, "path", url, &err));
  CHECK_OK(feast_config_set(config, "cert", ca_file, &err));
  for (int round = 0; round < 20; round++) {
    feast_remote_t *remote = NULL;
    CHECK_OK(feast_remote_open(config, &remote, &err));
    for (int i = 0; i < 10; i++) {
      feast_response_t *resp = NULL;
      CHECK_OK(feast_get_online_features(remote, req, &resp, &err));
      feast_response_free(resp);
    }
    feast_close(remote);
  }
  feast_config_free(config);
  feast_request_free(req);
  return unused;
}

int main(int argc, char **argv) {
  pthread_t threads[4];
  if (argc != 3) return 2;
  url = argv[1];
  ca_file = argv[2];
  CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, i < 2 ? by_libcurl : by_feast, NULL);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  printf("%s\n%s\n%s\n", curl_version(), OpenSSL_version(OPENSSL_VERSION), feast_version_string());
  return 0;
}
