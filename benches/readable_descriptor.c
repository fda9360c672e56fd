/* From the moment when a server begins to send its answer, in one piece, to the moment when the queue's descriptor is
 * readable: as seen by a thread that looks all the time, and by one that sleeps in poll(), which the kernel has to wake.
 * The server is a thread of this program, so that both read one clock.
 *   readable_descriptor CALLS */
#define _GNU_SOURCE
#include <feast_remote.h>
#include "measure.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static const char answer[] =
    "HTTP/1.1 200 OK\r\nContent-Length: 82\r\n\r\n"
    "{\"results\":[{\"values\":[1]},{\"values\":[2]}],\"metadata\":{\"feature_names\":[\"i\",\"f\"]}}";
static int listener;
static _Atomic double sent;

static void *serve(void *unused) {
  char request[4096];
  int one = 1, client = accept(listener, NULL, NULL);
  (void)unused;
  setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  /* A request of this program fits into one segment. */
  while (recv(client, request, sizeof request, 0) > 0) {
    sent = now();
    if (send(client, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0) break;
  }
  close(client);
  return NULL;
}

static void check(feast_status_t status, feast_error_t *err) {
  if (status == FEAST_OK) return;
  fprintf(stderr, "%s\n", feast_error_message(err));
  exit(2);
}

static void measure(feast_remote_t *remote, feast_queue_t *queue, feast_request_t *req, int calls, int timeout_ms,
                    const char *name) {
  struct pollfd readable = {feast_queue_fd(queue), POLLIN, 0};
  double *latencies = malloc((size_t)calls * sizeof *latencies), start = now(), cpu_start = cpu();
  feast_error_t *err = NULL;
  for (int i = 0; i < calls; i++) {
    check(feast_get_online_features_async(remote, req, queue, NULL, NULL, &err), err);
    while (poll(&readable, 1, timeout_ms) == 0) {}
    latencies[i] = now() - sent;
    feast_event_t *event = feast_queue_poll(queue, 0);
    if (feast_event_status(event) != FEAST_OK) {
      fprintf(stderr, "%s\n", feast_error_message(feast_event_error(event)));
      exit(2);
    }
    feast_event_free(event);
  }
  report(name, 1, calls, latencies, now() - start, cpu() - cpu_start, 0);
  free(latencies);
}

int main(int argc, char **argv) {
  const int64_t id = 1;
  int calls = argc > 1 ? atoi(argv[1]) : 10000;
  char url[64];
  pthread_t server;
  feast_error_t *err = NULL;
  feast_remote_t *remote = NULL;
  feast_queue_t *queue = NULL;
  feast_config_t *config = feast_config_new();
  feast_request_t *req = feast_request_new();
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 1) != 0 ||
      getsockname(listener, (struct sockaddr *)&address, &size) != 0 ||
      pthread_create(&server, NULL, serve, NULL) != 0)
    return perror("server"), 2;
  snprintf(url, sizeof url, "http://127.0.0.1:%d", ntohs(address.sin_port));
  check(feast_config_set(config, "path", url, &err), err);
  check(feast_remote_open(config, &remote, &err), err);
  check(feast_queue_open(&queue, &err), err);
  check(feast_request_add_feature(req, "v:f", &err), err);
  check(feast_request_set_entity_int64(req, "i", &id, 1, &err), err);
  measure(remote, queue, req, calls, 0, "last-byte-to-readable-descriptor");
  measure(remote, queue, req, calls, -1, "last-byte-to-sleeper-in-poll");
  feast_queue_free(queue);
  feast_close(remote);
  pthread_join(server, NULL);
  close(listener);
  feast_request_free(req);
  feast_config_free(config);
  return 0;
}
