/* A backend that serves one query at a time and must stay interruptible, as a database's extension: it waits for its
 * features and for signals at once, and gives the call up on SIGINT.
 *
 *   cc latch_loop.c -lfeast_remote -o latch_loop && ./latch_loop http://localhost:6566 1001 */
#define _GNU_SOURCE
#include <errno.h>
#include <feast_remote.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal) {
  (void)signal;
  interrupted = 1; /* nothing of the library's may be called here */
}

/* Waits until the call has ended; SIGINT is let in only while nothing else goes on. */
static feast_event_t *wait_interruptibly(feast_queue_t *queue, feast_call_t *call, const sigset_t *open) {
  struct pollfd latch = {feast_queue_fd(queue), POLLIN, 0};
  feast_event_t *event;
  int cancelled = 0;
  while ((event = feast_queue_poll(queue, 0)) == NULL) {
    if (interrupted && !cancelled) {
      feast_call_cancel(call); /* the event comes soon */
      cancelled = 1;
    }
    if (ppoll(&latch, 1, NULL, open) < 0 && errno != EINTR) {
      perror("ppoll");
      exit(1);
    }
  }
  return event;
}

int main(int argc, char **argv) {
  const int64_t driver = argc > 2 ? strtoll(argv[2], NULL, 10) : 1001;
  feast_error_t *err = NULL;
  feast_remote_t *remote = NULL;
  feast_queue_t *queue = NULL;
  feast_call_t *call = NULL;
  feast_config_t *config = feast_config_new();
  feast_request_t *req = feast_request_new();
  struct sigaction action = {.sa_handler = on_interrupt};
  sigset_t interrupt, open;

  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  sigprocmask(SIG_BLOCK, &interrupt, &open);
  sigdelset(&open, SIGINT);
  sigaction(SIGINT, &action, NULL);

  if ((argc > 1 && feast_config_set(config, "path", argv[1], &err) != FEAST_OK) ||
      feast_remote_open(config, &remote, &err) != FEAST_OK || feast_queue_open(&queue, &err) != FEAST_OK ||
      feast_request_add_feature(req, "driver_hourly_stats:conv_rate", &err) != FEAST_OK ||
      feast_request_set_entity_int64(req, "driver_id", &driver, 1, &err) != FEAST_OK ||
      feast_request_set_timeout_ms(req, 60000, &err) != FEAST_OK ||
      feast_get_online_features_async(remote, req, queue, NULL, &call, &err) != FEAST_OK) {
    fprintf(stderr, "%s\n", feast_error_message(err));
    return 1;
  }
  feast_event_t *event = wait_interruptibly(queue, call, &open);
  feast_status_t status = feast_event_status(event);
  feast_response_t *resp = feast_event_take_response(event);
  const double *rate = feast_response_column_double(resp, 1);
  if (rate != NULL)
    printf("driver %" PRId64 ": %f\n", driver, rate[0]);
  else
    printf("%s: %s\n", feast_status_name(status), feast_error_message(feast_event_error(event)));

  feast_response_free(resp);
  feast_event_free(event);
  feast_call_free(call);
  feast_request_free(req);
  feast_queue_free(queue);
  feast_close(remote);
  feast_config_free(config);
  return status == FEAST_OK ? 0 : 2;
}
