/* A feature server that costs next to nothing, for as many rows as it is asked for: answers each driver with itself and three
 * features. Only for what the benches ask. Prints its port.
 *   rows_server [DELAY_MS [STATUS [PORT [ADDRESS]]]]: so many milliseconds later, or with this HTTP status instead. /health is always
 * well. Prints the age of each connection when it is closed, if it was used. */
#define _GNU_SOURCE
#include "measure.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_BYTES = 1 << 20 };

static unsigned delay_us;
static int status = 200;

static size_t repeated(char *out, const char *value, size_t rows) {
  size_t length = 0;
  for (size_t i = 0; i < rows; i++) length += (size_t)sprintf(out + length, "%s%s", i ? "," : "", value);
  return length;
}

static size_t column(char *out, const char *values, size_t length, size_t rows) {
  size_t at = (size_t)sprintf(out, "{\"values\":[%.*s],\"statuses\":[", (int)length, values);
  at += repeated(out + at, "\"PRESENT\"", rows);
  at += (size_t)sprintf(out + at, "],\"event_timestamps\":[");
  at += repeated(out + at, "\"2026-11-23T01:00:00Z\"", rows);
  return at + (size_t)sprintf(out + at, "]}");
}

static size_t answer(const char *request, char *out, char *values) {
  const char *ids = strstr(request, "\"driver_id\":[");
  if (ids == NULL) return (size_t)sprintf(out, "{}");
  ids += strlen("\"driver_id\":[");
  size_t length = strcspn(ids, "]"), rows = 1;
  for (size_t i = 0; i < length; i++) rows += ids[i] == ',';
  size_t at = (size_t)sprintf(out, "{\"results\":[");
  at += column(out + at, ids, length, rows);
  for (int i = 0; i < 3; i++) {
    out[at++] = ',';
    at += column(out + at, values, repeated(values, "0.5", rows), rows);
  }
  return at + (size_t)sprintf(out + at, "],\"metadata\":{\"feature_names\":[\"driver_id\",\"conv_rate\",\"acc_rate\",\"avg_daily_trips\"]}}");
}

static void *serve(void *argument) {
  int fd = (int)(intptr_t)argument;
  char *request = malloc(MOST_BYTES), *out = malloc(8 * MOST_BYTES), *values = malloc(MOST_BYTES), head[128];
  size_t have = 0;
  double made = now(), used = 0;
  for (ssize_t got; (got = read(fd, request + have, MOST_BYTES - 1 - have)) > 0;) {
    have += (size_t)got;
    request[have] = '\0';
    char *body = strstr(request, "\r\n\r\n"), *length = strcasestr(request, "\r\ncontent-length:");
    if (body != NULL && strncmp(request, "GET ", 4) == 0) {
      static const char well[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
      if (send(fd, well, sizeof well - 1, MSG_NOSIGNAL) <= 0) break;
      have = 0;
      continue;
    }
    if (body == NULL || length == NULL) continue;
    body += 4;
    size_t bytes = strtoul(length + strlen("\r\ncontent-length:"), NULL, 10);
    if (have < (size_t)(body - request) + bytes) continue;
    size_t size = status == 200 ? answer(body, out + sizeof head, values) : 0;
    int head_size = sprintf(head, "HTTP/1.1 %d Because\r\nContent-Length: %zu\r\n\r\n", status, size);
    if (delay_us > 0) usleep(delay_us);
    used = now();
    char *start = out + sizeof head - head_size;
    memcpy(start, head, (size_t)head_size);
    for (size_t sent = 0, all = (size_t)head_size + size; sent < all;) {
      ssize_t wrote = send(fd, start + sent, all - sent, MSG_NOSIGNAL);
      if (wrote <= 0) break;
      sent += (size_t)wrote;
    }
    have = 0;
  }
  if (used > 0) {
    printf("%.3f\n", used - made);
    fflush(stdout);
  }
  close(fd);
  free(request);
  free(out);
  free(values);
  return NULL;
}

int main(int argc, char **argv) {
  if (argc > 1) delay_us = (unsigned)(atof(argv[1]) * 1000);
  if (argc > 2) status = atoi(argv[2]);
  int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (argc > 4) inet_pton(AF_INET, argv[4], &address.sin_addr);
  if (argc > 3) address.sin_port = htons((uint16_t)atoi(argv[3]));
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  socklen_t size = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 1024) != 0) return 1;
  getsockname(listener, (struct sockaddr *)&address, &size);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;) {
    pthread_t thread;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) == 0) pthread_detach(thread);
    else close(fd);
  }
  return 0;
}
