/* What a C program writes by hand: a keep-alive easy handle a thread. The answer is received and not looked at.
 *   libcurl_by_hand URL BODY_FILE REQUESTS THREADS */
#define _GNU_SOURCE
#include <curl/curl.h>
#include "measure.h"
#include <pthread.h>
#include <string.h>

typedef struct {
  char *bytes;
  size_t length, capacity;
} buffer_t;

typedef struct {
  int calls, errors;
  double *latencies;
} worker_t;

static const char *url;
static buffer_t question;

static size_t receive(char *data, size_t size, size_t count, void *user) {
  buffer_t *answer = user;
  size_t more = size * count;
  if (answer->length + more > answer->capacity) {
    answer->capacity = 2 * (answer->length + more);
    answer->bytes = realloc(answer->bytes, answer->capacity);
    if (answer->bytes == NULL) return 0;
  }
  memcpy(answer->bytes + answer->length, data, more);
  answer->length += more;
  return more;
}

static void *run(void *argument) {
  worker_t *worker = argument;
  buffer_t answer = {NULL, 0, 0};
  CURL *curl = curl_easy_init();
  struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
  curl_easy_setopt(curl, CURLOPT_URL, url);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, question.bytes);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)question.length);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  for (int i = 0; i < worker->calls; i++) {
    long status = 0;
    double start = now();
    answer.length = 0;
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    worker->errors += code != CURLE_OK || status != 200;
    worker->latencies[i] = now() - start;
  }
  curl_easy_cleanup(curl);
  curl_slist_free_all(headers);
  free(answer.bytes);
  return NULL;
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: %s URL BODY_FILE REQUESTS THREADS\n", argv[0]);
    return 2;
  }
  url = argv[1];
  FILE *file = fopen(argv[2], "rb");
  if (file == NULL) return perror(argv[2]), 2;
  question.bytes = malloc(64 << 20);
  question.length = fread(question.bytes, 1, 64 << 20, file);
  fclose(file);
  int threads = atoi(argv[4]), each = atoi(argv[3]) / threads, done = each * threads, errors = 0;
  double *latencies = malloc((size_t)done * sizeof *latencies);
  pthread_t *ids = malloc((size_t)threads * sizeof *ids);
  worker_t *workers = malloc((size_t)threads * sizeof *workers);
  curl_global_init(CURL_GLOBAL_ALL);
  double start = now(), cpu_start = cpu();
  for (int i = 0; i < threads; i++) {
    workers[i] = (worker_t){each, 0, latencies + (size_t)i * (size_t)each};
    pthread_create(&ids[i], NULL, run, &workers[i]);
  }
  for (int i = 0; i < threads; i++) {
    pthread_join(ids[i], NULL);
    errors += workers[i].errors;
  }
  double seconds = now() - start, cpu_seconds = cpu() - cpu_start;
  report("libcurl-by-hand", threads, done, latencies, seconds, cpu_seconds, errors);
  return errors != 0;
}
