/* The asynchronous interface from C: events, the descriptor, wakes, batches, cancelling, every order of ending things,
 * fork; no thread, descriptor or byte is left.
 * usage: async HEALTHY_URL STALLING_URL */
#include "check.h"
#include <poll.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *healthy_url, *stalling_url;

static feast_queue_t *open_queue(void) {
  feast_queue_t *queue = NULL;
  CHECK_OK(feast_queue_open(&queue, &err));
  return queue;
}

static feast_request_t *patient(int64_t id) {
  feast_request_t *req = ask(&id, 1);
  CHECK_OK(feast_request_set_timeout_ms(req, 3600 * 1000, &err));
  return req;
}

static bool readable(int fd, int timeout_ms) {
  struct pollfd one = {fd, POLLIN, 0};
  return poll(&one, 1, timeout_ms) == 1;
}

static void ends_with(feast_queue_t *queue, feast_status_t status, void *tag) {
  feast_event_t *event = feast_queue_poll(queue, 60000);
  CHECK(event != NULL && feast_event_tag(event) == tag);
  if (feast_event_status(event) != status) {
    fprintf(stderr, "%s: %s\n", feast_status_name(feast_event_status(event)), feast_error_message(feast_event_error(event)));
    exit(1);
  }
  CHECK(feast_error_code(feast_event_error(event)) == status);
  CHECK((feast_event_error(event) == NULL) == (status == FEAST_OK));
  CHECK(status == FEAST_OK || feast_event_take_response(event) == NULL);
  feast_event_free(event);
}

static void null_everywhere(feast_remote_t *remote, feast_queue_t *queue) {
  const int64_t id = 1;
  feast_request_t *req = ask(&id, 1), *empty = feast_request_new();
  feast_call_t *call = (feast_call_t *)&call;
  feast_event_t *event = NULL;
  CHECK_FAILS(feast_queue_open(NULL, &err), FEAST_INVALID_ARGUMENT, "queue is NULL");
  CHECK_FAILS(feast_get_online_features_async(NULL, req, queue, NULL, &call, &err), FEAST_INVALID_ARGUMENT, "remote is NULL");
  CHECK(call == NULL);
  CHECK_FAILS(feast_get_online_features_async(remote, NULL, queue, NULL, NULL, &err), FEAST_INVALID_ARGUMENT, "request is NULL");
  CHECK_FAILS(feast_get_online_features_async(remote, req, NULL, NULL, NULL, &err), FEAST_INVALID_ARGUMENT, "queue is NULL");
  CHECK_FAILS(feast_get_online_features_async(remote, empty, queue, NULL, NULL, &err), FEAST_INVALID_ARGUMENT, "names no feature");
  CHECK(feast_get_online_features_async(NULL, NULL, NULL, NULL, NULL, NULL) == FEAST_INVALID_ARGUMENT);
  CHECK(feast_queue_poll(NULL, -1) == NULL && feast_queue_poll_batch(NULL, -1, &event, 1) == 0);
  CHECK(feast_queue_poll_batch(queue, -1, NULL, 1) == 0 && feast_queue_poll_batch(queue, -1, &event, 0) == 0);
  CHECK(feast_queue_fd(NULL) == -1);
  CHECK(feast_event_tag(NULL) == NULL && feast_event_status(NULL) == FEAST_INVALID_ARGUMENT);
  CHECK(feast_event_take_response(NULL) == NULL && feast_event_error(NULL) == NULL);
  feast_queue_wake(NULL);
  feast_queue_free(NULL);
  feast_event_free(NULL);
  feast_call_cancel(NULL);
  feast_call_free(NULL);
  CHECK(feast_queue_poll(queue, 0) == NULL);
  feast_request_free(req);
  feast_request_free(empty);
}

static void answers(feast_remote_t *remote, feast_queue_t *queue) {
  feast_event_t *events[8];
  feast_call_t *call = NULL;
  int tags[20], *tag;
  int64_t ids[2];
  int finished = 0;
  for (int i = 0; i < 20; i++) {
    ids[0] = i, ids[1] = 10 * i;
    feast_request_t *req = ask(ids, 2);
    CHECK_OK(feast_get_online_features_async(remote, req, queue, &tags[i], &call, &err));
    feast_request_free(req); /* copied */
    feast_call_free(call);
  }
  while (finished < 20) {
    size_t count = feast_queue_poll_batch(queue, -1, events, 8);
    CHECK(count >= 1 && count <= 8);
    for (size_t i = 0; i < count; i++, finished++) {
      tag = feast_event_tag(events[i]);
      CHECK(tag >= tags && tag < tags + 20 && feast_event_status(events[i]) == FEAST_OK);
      feast_response_t *resp = feast_event_take_response(events[i]);
      CHECK(feast_response_column_int64(resp, 2)[1] == 10 * (tag - tags) * 1000 + 1);
      CHECK(feast_event_take_response(events[i]) == NULL);
      if (finished % 2 == 0) feast_event_free(events[i]), events[i] = NULL;
      feast_response_free(resp);
      feast_event_free(events[i]);
    }
  }
  /* One whose answer nobody takes, and one that nobody takes out. */
  feast_request_t *req = patient(1);
  CHECK_OK(feast_get_online_features_async(remote, req, queue, NULL, NULL, &err));
  ends_with(queue, FEAST_OK, NULL);
  CHECK_OK(feast_get_online_features_async(remote, req, queue, NULL, NULL, &err));
  CHECK(readable(feast_queue_fd(queue), 60000));
  feast_request_free(req);
}

static void descriptor_and_wake(feast_remote_t *remote) {
  feast_queue_t *queue = open_queue();
  feast_request_t *req = patient(1);
  int fd = feast_queue_fd(queue);
  CHECK(fd >= 0 && fd == feast_queue_fd(queue) && !readable(fd, 0));
  for (int turn = 0; turn < 3; turn++) {
    CHECK_OK(feast_get_online_features_async(remote, req, queue, NULL, NULL, &err));
    CHECK_OK(feast_get_online_features_async(remote, req, queue, NULL, NULL, &err));
    CHECK(readable(fd, 60000));
    ends_with(queue, FEAST_OK, NULL);
    CHECK(readable(fd, 60000)); /* the second */
    ends_with(queue, FEAST_OK, NULL);
    CHECK(!readable(fd, 0));
    feast_queue_wake(queue);
    CHECK(readable(fd, 0));
    CHECK(feast_queue_poll(queue, -1) == NULL);
    CHECK(!readable(fd, 0));
    CHECK(feast_queue_poll(queue, 1) == NULL);
  }
  feast_queue_free(queue);
  feast_request_free(req);
}

static void cancelling(feast_remote_t *stalled, feast_queue_t *queue) {
  feast_call_t *calls[5];
  feast_request_t *req = patient(1);
  /* Of the five, two are on the wire at most. */
  for (int i = 0; i < 5; i++) CHECK_OK(feast_get_online_features_async(stalled, req, queue, &calls[i], &calls[i], &err));
  for (int i = 4; i >= 0; i--) {
    feast_call_cancel(calls[i]);
    feast_call_cancel(calls[i]);
    ends_with(queue, FEAST_CANCELLED, &calls[i]);
    feast_call_cancel(calls[i]);
    feast_call_free(calls[i]);
  }
  CHECK(feast_queue_poll(queue, 0) == NULL);
  feast_request_free(req);
}

static void *wait_for_events(void *queue) {
  CHECK(feast_queue_poll(queue, -1) == NULL);
  return NULL;
}

static void every_end(void) {
  pthread_t waiting;
  feast_call_t *call = NULL;
  feast_request_t *req = patient(1);
  const int descriptors = entries("/proc/self/fd");
  /* The queue first, with a call under way; then the store, then the call's handle. */
  feast_remote_t *stalled = open_at(stalling_url);
  feast_queue_t *queue = open_queue();
  CHECK_OK(feast_get_online_features_async(stalled, req, queue, NULL, &call, &err));
  CHECK(pthread_create(&waiting, NULL, wait_for_events, queue) == 0);
  feast_queue_wake(queue);
  pthread_join(waiting, NULL);
  feast_queue_free(queue);
  feast_call_cancel(call);
  feast_close(stalled);
  CHECK(entries("/proc/self/fd") == descriptors); /* the handle keeps none */
  feast_call_cancel(call);
  feast_call_free(call);
  /* The store first. */
  stalled = open_at(stalling_url);
  queue = open_queue();
  for (int i = 0; i < 3; i++) CHECK_OK(feast_get_online_features_async(stalled, req, queue, NULL, NULL, &err));
  feast_close(stalled);
  for (int i = 0; i < 3; i++) ends_with(queue, FEAST_CLOSED, NULL);
  CHECK(feast_queue_poll(queue, 0) == NULL);
  CHECK_FAILS(feast_get_online_features_async(stalled, req, queue, NULL, NULL, &err), FEAST_CLOSED, "closed");
  CHECK(feast_queue_poll(queue, 0) == NULL);
  feast_queue_free(queue);
  feast_request_free(req);
}

static void forked(feast_remote_t *remote, feast_queue_t *queue) {
  feast_request_t *req = patient(1);
  feast_call_t *call = NULL;
  int status;
  CHECK_OK(feast_get_online_features_async(remote, req, queue, NULL, &call, &err));
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    CHECK(feast_queue_fd(queue) == -1);
    feast_call_cancel(call);
    feast_queue_wake(queue);
    CHECK(feast_queue_poll(queue, -1) == NULL);
    CHECK_FAILS(feast_get_online_features_async(remote, req, queue, NULL, NULL, &err), FEAST_INVALID_ARGUMENT, "fork");
    feast_queue_t *own = open_queue();
    feast_remote_t *anew = open_at(healthy_url);
    CHECK_FAILS(feast_get_online_features_async(anew, req, queue, NULL, NULL, &err), FEAST_INVALID_ARGUMENT, "fork");
    CHECK_OK(feast_get_online_features_async(anew, req, own, NULL, NULL, &err));
    ends_with(own, FEAST_OK, NULL);
    CHECK_OK(feast_get_online_features_async(remote, req, own, NULL, NULL, &err));
    ends_with(own, FEAST_OK, NULL);
    feast_close(anew);
    feast_queue_free(own);
    feast_queue_free(queue);
    feast_close(remote);
    /* Another program, or memcheck would miss here what the threads of the parent hold. */
    execlp("true", "true", (char *)NULL);
    _exit(127);
  }
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  ends_with(queue, FEAST_OK, NULL);
  feast_call_free(call);
  feast_request_free(req);
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  healthy_url = argv[1], stalling_url = argv[2];
  const int threads = entries("/proc/self/task"), descriptors = entries("/proc/self/fd");
  feast_config_t *config = feast_config_new();
  feast_remote_t *stalled = NULL, *remote = open_at(healthy_url);
  CHECK_OK(feast_config_set(config, "path", stalling_url, &err));
  CHECK_OK(feast_config_set(config, "connection_pool_size", "2", &err));
  CHECK_OK(feast_remote_open(config, &stalled, &err));
  feast_config_free(config);
  feast_queue_t *queue = open_queue();
  null_everywhere(remote, queue);
  descriptor_and_wake(remote);
  cancelling(stalled, queue);
  every_end();
  forked(remote, queue);
  answers(remote, queue);
  feast_queue_free(queue);
  feast_close(stalled);
  feast_close(remote);
  CHECK(entries_become("/proc/self/task", threads));
  CHECK(entries("/proc/self/fd") == descriptors);
  return 0;
}
