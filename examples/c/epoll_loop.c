/* One thread, one epoll, and feature requests beside everything else that the loop does: a thousand of them, fifty in
 * flight, between the ticks of a timer and the words of a pipe.
 *
 *   cc epoll_loop.c -lfeast_remote -o epoll_loop && ./epoll_loop http://localhost:6566 */
#define _GNU_SOURCE
#include <feast_remote.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { REQUESTS = 1000, IN_FLIGHT = 50 };

/* What a request of ours is about; its address is the call's tag. */
typedef struct {
  int64_t driver_id;
} job_t;

typedef struct {
  feast_remote_t *remote;
  feast_queue_t *queue;
  feast_request_t *req; /* used again and again: each call copies it */
  job_t jobs[REQUESTS];
  int begun, answered, failed, ticks, words;
} loop_t;

static void die(const char *what, feast_error_t *err) {
  fprintf(stderr, "%s: %s\n", what, feast_error_message(err));
  exit(1);
}

static void begin(loop_t *loop) {
  feast_error_t *err = NULL;
  job_t *job = &loop->jobs[loop->begun++];
  job->driver_id = 1001 + loop->begun % 5;
  if (feast_request_set_entity_int64(loop->req, "driver_id", &job->driver_id, 1, &err) != FEAST_OK ||
      feast_get_online_features_async(loop->remote, loop->req, loop->queue, job, NULL, &err) != FEAST_OK)
    die("begin", err);
}

/* Takes out all there is, as a descriptor that has become readable asks for. */
static void finish(loop_t *loop) {
  feast_event_t *event;
  while ((event = feast_queue_poll(loop->queue, 0)) != NULL) {
    const job_t *job = feast_event_tag(event);
    feast_response_t *resp = feast_event_take_response(event);
    const int64_t *ids = feast_response_column_int64(resp, 0);
    if (ids != NULL && ids[0] == job->driver_id) {
      loop->answered++;
    } else {
      loop->failed++;
      fprintf(stderr, "driver %" PRId64 ": %s\n", job->driver_id, feast_error_message(feast_event_error(event)));
    }
    feast_response_free(resp);
    feast_event_free(event);
    if (loop->begun < REQUESTS) begin(loop);
  }
}

static void watch(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
    perror("watch");
    exit(1);
  }
}

int main(int argc, char **argv) {
  static loop_t loop;
  feast_error_t *err = NULL;
  feast_config_t *config = feast_config_new();
  loop.req = feast_request_new();
  if ((argc > 1 && feast_config_set(config, "path", argv[1], &err) != FEAST_OK) ||
      feast_remote_open(config, &loop.remote, &err) != FEAST_OK || feast_queue_open(&loop.queue, &err) != FEAST_OK ||
      feast_request_add_feature(loop.req, "driver_hourly_stats:conv_rate", &err) != FEAST_OK)
    die("open", err);

  const struct itimerspec every_10_ms = {{0, 10000000}, {0, 10000000}};
  int pipes[2], epoll = epoll_create1(EPOLL_CLOEXEC), timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  int features = feast_queue_fd(loop.queue);
  if (pipe(pipes) != 0 || timerfd_settime(timer, 0, &every_10_ms, NULL) != 0) return 1;
  watch(epoll, features);
  watch(epoll, timer);
  watch(epoll, pipes[0]);

  while (loop.begun < IN_FLIGHT) begin(&loop);
  while (loop.answered + loop.failed < REQUESTS || loop.ticks == 0) {
    struct epoll_event events[8];
    char bytes[64];
    int count = epoll_wait(epoll, events, 8, -1);
    for (int i = 0; i < count; i++) {
      if (events[i].data.fd == features) {
        finish(&loop);
      } else if (events[i].data.fd == timer) {
        if (read(timer, bytes, 8) == 8) loop.ticks++;
        if (write(pipes[1], "word", 4) != 4) return 1;
      } else if (read(pipes[0], bytes, sizeof bytes) > 0) {
        loop.words++;
      }
    }
  }
  printf("%d answered, %d failed, between %s ticks and %s words\n", loop.answered, loop.failed,
         loop.ticks > 0 ? "some" : "no", loop.words > 0 ? "some" : "no");

  feast_queue_free(loop.queue);
  feast_close(loop.remote);
  feast_request_free(loop.req);
  feast_config_free(config);
  close(pipes[0]);
  close(pipes[1]);
  close(timer);
  close(epoll);
  return loop.failed != 0;
}
