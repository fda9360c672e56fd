/* What a C program with an event loop writes by hand: one thread, one multi handle, keep-alive easy handles. The answers
 * are received and not looked at.
 *   libcurl_multi_by_hand URL BODY_FILE REQUESTS IN_FLIGHT */
#define _GNU_SOURCE
#include <curl/curl.h>
#include "measure.h"
#include <string.h>

typedef struct {
  CURL *curl;
  char *bytes;
  size_t length, capacity;
  double start;
} transfer_t;

static size_t receive(char *data, size_t size, size_t count, void *user) {
  transfer_t *transfer = user;
  size_t more = size * count;
  if (transfer->length + more > transfer->capacity) {
    transfer->capacity = 2 * (transfer->length + more);
    transfer->bytes = realloc(transfer->bytes, transfer->capacity);
    if (transfer->bytes == NULL) return 0;
  }
  memcpy(transfer->bytes + transfer->length, data, more);
  transfer->length += more;
  return more;
}

static void begin(CURLM *multi, transfer_t *transfer) {
  transfer->length = 0;
  transfer->start = now();
  curl_multi_add_handle(multi, transfer->curl);
}

int main(int argc, char **argv) {
  static char body[16 << 20];
  if (argc != 5) {
    fprintf(stderr, "usage: %s URL BODY_FILE REQUESTS IN_FLIGHT\n", argv[0]);
    return 2;
  }
  FILE *file = fopen(argv[2], "rb");
  if (file == NULL) return perror(argv[2]), 2;
  long length = (long)fread(body, 1, sizeof body, file);
  fclose(file);
  int total = atoi(argv[3]), in_flight = atoi(argv[4]), begun = 0, finished = 0, errors = 0, running = 0, left = 0;
  double *latencies = malloc((size_t)total * sizeof *latencies);
  transfer_t *transfers = calloc((size_t)in_flight, sizeof *transfers);
  curl_global_init(CURL_GLOBAL_ALL);
  CURLM *multi = curl_multi_init();
  struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
  headers = curl_slist_append(headers, "Expect:");
  double start = now(), cpu_start = cpu();
  for (; begun < in_flight; begun++) {
    CURL *curl = transfers[begun].curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_URL, argv[1]);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, length);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfers[begun]);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, &transfers[begun]);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    begin(multi, &transfers[begun]);
  }
  while (finished < total) {
    CURLMsg *message;
    curl_multi_perform(multi, &running);
    while ((message = curl_multi_info_read(multi, &left)) != NULL) {
      CURL *curl = message->easy_handle;
      transfer_t *transfer = NULL;
      long status = 0;
      errors += message->data.result != CURLE_OK;
      curl_easy_getinfo(curl, CURLINFO_PRIVATE, &transfer);
      curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
      errors += status != 200;
      latencies[finished++] = now() - transfer->start;
      curl_multi_remove_handle(multi, curl);
      if (begun < total) {
        begin(multi, transfer);
        begun++;
      }
    }
    if (finished < total) curl_multi_poll(multi, NULL, 0, 1000, NULL);
  }
  report("libcurl-multi-by-hand", in_flight, total, latencies, now() - start, cpu() - cpu_start, errors);
  for (int i = 0; i < in_flight; i++) {
    curl_easy_cleanup(transfers[i].curl);
    free(transfers[i].bytes);
  }
  curl_multi_cleanup(multi);
  curl_slist_free_all(headers);
  free(transfers);
  free(latencies);
  return errors != 0;
}
