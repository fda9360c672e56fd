/* Pointers that were freed, freed twice, of another kind, or never ours: an error or nothing, where the library can tell.
 * Not under memcheck: it reads what was freed, on purpose.
 * usage: stale_handles HEALTHY_URL */
#include "check.h"

#define NO_OBJECT "no such object, or one that was freed"

static void of_another_kind(feast_remote_t *remote, feast_request_t *req, feast_config_t *config) {
  feast_response_t *resp = NULL;
  feast_queue_t *queue = NULL;
  uint64_t foreign[64] = {0};
  void *other = req;
  CHECK_FAILS(feast_get_online_features((feast_remote_t *)(void *)config, req, &resp, &err), FEAST_INVALID_ARGUMENT, "remote: " NO_OBJECT);
  CHECK_FAILS(feast_get_online_features(remote, (feast_request_t *)(void *)remote, &resp, &err), FEAST_INVALID_ARGUMENT,
              "request: " NO_OBJECT);
  CHECK_FAILS(feast_config_set(other, "path", "x", &err), FEAST_INVALID_ARGUMENT, "config: " NO_OBJECT);
  CHECK_FAILS(feast_get_online_features_async(remote, req, other, NULL, NULL, &err), FEAST_INVALID_ARGUMENT, "queue: " NO_OBJECT);
  CHECK(feast_queue_poll(other, -1) == NULL && feast_queue_fd(other) == -1);
  CHECK(feast_response_num_rows(other) == 0 && feast_response_column_int64(other, 0) == NULL);
  CHECK(feast_event_status(other) == FEAST_INVALID_ARGUMENT && feast_error_code(other) == FEAST_OK);
  /* Freeing what is something else frees nothing. */
  feast_response_free(other);
  feast_config_free(other);
  feast_event_free(other);
  feast_error_free(other);
  feast_call_free(other);
  feast_queue_free(other);
  feast_close(other);
  CHECK_OK(feast_get_online_features(remote, req, &resp, &err));
  feast_response_free(resp);
  /* Memory that was never ours, at addresses that objects could have and others that they could not. */
  for (size_t at = 0; at < 16; at++) {
    void *inside = (char *)foreign + 64 + at;
    CHECK_FAILS(feast_request_add_feature(inside, "v:f", &err), FEAST_INVALID_ARGUMENT, "request: " NO_OBJECT);
    feast_request_free(inside);
    feast_queue_free(inside);
  }
  CHECK_OK(feast_queue_open(&queue, &err));
  feast_queue_free(queue);
}

static void after_freeing(feast_remote_t *remote, feast_request_t *req) {
  feast_config_t *config = feast_config_new();
  feast_request_t *copy = feast_request_clone(req);
  feast_response_t *resp = NULL;
  feast_queue_t *queue = NULL;
  feast_call_t *call = NULL;
  feast_error_t *error = NULL;
  feast_event_t *event;
  CHECK_OK(feast_get_online_features(remote, req, &resp, &err));
  CHECK_OK(feast_queue_open(&queue, &err));
  CHECK_OK(feast_get_online_features_async(remote, req, queue, NULL, &call, &err));
  CHECK((event = feast_queue_poll(queue, -1)) != NULL);
  CHECK(feast_config_set(config, "no_such_key", "", &error) == FEAST_CONFIG);

  /* Nothing is allocated between these, so the memory is still as it was left. */
  feast_response_free(resp);
  CHECK(feast_response_num_rows(resp) == 0 && feast_response_column_int64(resp, 0) == NULL);
  feast_response_free(resp);
  feast_event_free(event);
  CHECK(feast_event_status(event) == FEAST_INVALID_ARGUMENT && feast_event_take_response(event) == NULL);
  feast_event_free(event);
  feast_call_free(call);
  feast_call_cancel(call);
  feast_call_free(call);
  feast_error_free(error);
  CHECK(feast_error_code(error) == FEAST_OK && feast_error_attempts(error) == 0);
  feast_error_free(error);
  feast_queue_free(queue);
  CHECK(feast_queue_poll(queue, -1) == NULL && feast_queue_fd(queue) == -1);
  feast_queue_wake(queue);
  feast_queue_free(queue);
  feast_request_free(copy);
  feast_request_free(copy);
  CHECK(feast_request_add_feature(copy, "v:f", NULL) == FEAST_INVALID_ARGUMENT);
  feast_config_free(config);
  feast_config_free(config);
  CHECK(feast_config_set(config, "path", "x", NULL) == FEAST_INVALID_ARGUMENT);
}

int main(int argc, char **argv) {
  const int64_t ids[] = {1, 2};
  if (argc != 2) return 2;
  feast_remote_t *remote = open_at(argv[1]);
  feast_request_t *req = ask(ids, 2);
  feast_config_t *config = feast_config_new();
  of_another_kind(remote, req, config);
  after_freeing(remote, req);
  /* A closed store is told for ever. */
  feast_response_t *resp = NULL;
  feast_close(remote);
  feast_close(remote);
  CHECK_FAILS(feast_get_online_features(remote, req, &resp, &err), FEAST_CLOSED, "closed");
  feast_config_free(config);
  feast_request_free(req);
  return 0;
}
