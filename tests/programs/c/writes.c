/* Writes through the C interface: frames of every type, pushes, errors with their rows, events.
 * usage: writes URL: of a server that answers 200 to writes of rows whose ids are below 1000, and 500 to others */
#include "check.h"

static const uint8_t second_is_null = 0x5; /* rows 0 and 2 of three have values */

static feast_frame_t *ids_from(int64_t first, size_t count) {
  feast_frame_t *frame = feast_frame_new();
  int64_t *ids = malloc(count * sizeof *ids), *when = calloc(count, sizeof *when);
  for (size_t i = 0; i < count; i++) ids[i] = first + (int64_t)i;
  CHECK_OK(feast_frame_set_int64(frame, "id", ids, NULL, count, &err));
  CHECK_OK(feast_frame_set_timestamp_ns(frame, "event_timestamp", when, NULL, count, &err));
  free(ids);
  free(when);
  return frame;
}

static void every_type(feast_remote_t *remote) {
  feast_frame_t *frame = ids_from(1, 3);
  const int32_t small[] = {INT32_MIN, 0, INT32_MAX};
  const float floats[] = {0.1f, 0, 1};
  const double doubles[] = {0.1, 0, -1};
  const bool flags[] = {true, false, true};
  const int64_t times[] = {0, 1000000000, -1000000000};
  const char *const texts[] = {"a", NULL, "b\0c"}, *const words[] = {"x", "", "y"};
  const size_t lengths[] = {1, 0, 3};
  const int64_t offsets[] = {0, 2, 2, 3}, integers[] = {1, 2, INT64_MAX};
  CHECK(feast_frame_num_rows(frame) == 3 && feast_frame_num_rows(NULL) == 0);
  CHECK_OK(feast_frame_set_int32(frame, "small", small, &second_is_null, 3, &err));
  CHECK_OK(feast_frame_set_float(frame, "float", floats, &second_is_null, 3, &err));
  CHECK_OK(feast_frame_set_double(frame, "double", doubles, NULL, 3, &err));
  CHECK_OK(feast_frame_set_bool(frame, "flag", flags, NULL, 3, &err));
  CHECK_OK(feast_frame_set_timestamp_ns(frame, "time", times, NULL, 3, &err));
  CHECK_OK(feast_frame_set_string(frame, "text", texts, lengths, 3, &err));
  CHECK_OK(feast_frame_set_int64_list(frame, "integers", offsets, integers, &second_is_null, 3, &err));
  CHECK_OK(feast_frame_set_float_list(frame, "floats", offsets, floats, NULL, 3, &err));
  CHECK_OK(feast_frame_set_double_list(frame, "doubles", offsets, doubles, NULL, 3, &err));
  CHECK_OK(feast_frame_set_string_list(frame, "words", offsets, words, NULL, 3, &err));
  CHECK_OK(feast_frame_set_json(frame, "json", "[{}, null, [1]]", &err));

  feast_write_t *written = NULL;
  CHECK_OK(feast_write_to_online_store(remote, "view", frame, NULL, &written, &err));
  CHECK(feast_write_rows_written(written) == 3 && feast_write_requests(written) == 2 && !feast_write_is_queued(written));
  feast_write_free(written);
  CHECK_OK(feast_push(remote, "source", frame, FEAST_PUSH_ONLINE | FEAST_PUSH_OFFLINE, NULL, NULL, &err));
  feast_frame_free(frame);
}

static void refused(feast_remote_t *remote) {
  feast_frame_t *frame = feast_frame_new(), *good = ids_from(1, 1);
  const int64_t values[] = {1, 2}, descending[] = {0, 1, 0};
  const double odd[] = {1, 0.0 / 0.0};
  const char *const broken[] = {"\xff"};
  feast_write_t *written = (feast_write_t *)frame;
  CHECK_FAILS(feast_push(remote, "p", frame, FEAST_PUSH_ONLINE, NULL, &written, &err), FEAST_INVALID_ARGUMENT, "no columns");
  CHECK(written == NULL);
  CHECK_FAILS(feast_push(remote, "p", good, 0, NULL, NULL, &err), FEAST_INVALID_ARGUMENT, "to is 0");
  CHECK_FAILS(feast_push(remote, "p", good, 4, NULL, NULL, &err), FEAST_INVALID_ARGUMENT, "to is 4");
  CHECK_FAILS(feast_push(remote, "", good, 1, NULL, NULL, &err), FEAST_INVALID_ARGUMENT, "push_source is empty");
  CHECK_FAILS(feast_push(remote, NULL, good, 1, NULL, NULL, &err), FEAST_INVALID_ARGUMENT, "push_source is NULL");
  CHECK_FAILS(feast_push(remote, "p", NULL, 1, NULL, NULL, &err), FEAST_INVALID_ARGUMENT, "frame is NULL");
  CHECK_FAILS(feast_push(NULL, "p", good, 1, NULL, NULL, &err), FEAST_INVALID_ARGUMENT, "remote is NULL");
  CHECK_FAILS(feast_write_to_online_store(remote, NULL, good, NULL, NULL, &err), FEAST_INVALID_ARGUMENT, "feature_view");
  CHECK_FAILS(feast_frame_set_int64(frame, NULL, values, NULL, 2, &err), FEAST_INVALID_ARGUMENT, "name is NULL");
  CHECK_FAILS(feast_frame_set_int64(frame, "a", NULL, NULL, 2, &err), FEAST_INVALID_ARGUMENT, "values is NULL");
  CHECK_FAILS(feast_frame_set_int64(NULL, "a", values, NULL, 2, &err), FEAST_INVALID_ARGUMENT, "frame is NULL");
  CHECK_FAILS(feast_frame_set_double(frame, "a", odd, NULL, 2, &err), FEAST_INVALID_ARGUMENT, "`a`, row 1");
  CHECK_FAILS(feast_frame_set_string(frame, "a", broken, NULL, 1, &err), FEAST_INVALID_ARGUMENT, "row 0: not UTF-8");
  CHECK_FAILS(feast_frame_set_int64_list(frame, "a", descending, values, NULL, 2, &err), FEAST_INVALID_ARGUMENT, "row 1");
  CHECK_FAILS(feast_frame_set_int64_list(frame, "a", NULL, values, NULL, 2, &err), FEAST_INVALID_ARGUMENT, "offsets is NULL");
  CHECK_FAILS(feast_frame_set_json(frame, "a", "[NaN]", &err), FEAST_INVALID_ARGUMENT, "not a JSON array");
  CHECK_OK(feast_frame_set_int64(frame, "a", values, NULL, 2, &err));
  CHECK_FAILS(feast_frame_set_int64(frame, "a", values, NULL, 2, &err), FEAST_INVALID_ARGUMENT, "`a` already");
  CHECK_OK(feast_frame_set_int64(frame, "b", values, NULL, 1, &err));
  CHECK_FAILS(feast_push(remote, "p", frame, 1, NULL, NULL, &err), FEAST_INVALID_ARGUMENT, "`a` has 2 rows, `b` has 1");
  feast_frame_t *imported = good;
  CHECK_FAILS(feast_frame_import_arrow(NULL, NULL, &imported, &err), FEAST_INVALID_ARGUMENT, "array is NULL");
  CHECK(imported == NULL);
  feast_frame_free(frame);
  feast_frame_free(good);
  feast_frame_free(NULL);
  feast_write_free(NULL);
  feast_write_options_free(NULL);
  CHECK(feast_write_rows_written(NULL) == 0 && feast_write_requests(NULL) == 0 && !feast_write_is_queued(NULL));
}

static void rows_of_a_failure(feast_remote_t *remote) {
  feast_frame_t *frame = ids_from(0, 2500);
  feast_error_t *error = NULL;
  size_t count = 7;
  CHECK(feast_write_to_online_store(remote, "view", frame, NULL, NULL, &error) == FEAST_SERVER);
  CHECK(feast_error_rows_written(error) == 1000);
  const uint64_t *rows = feast_error_unwritten_rows(error, &count);
  CHECK(count == 1500 && rows[0] == 1000 && rows[1499] == 2499);
  CHECK(feast_error_doubtful_rows(error, &count) != NULL && count == 0);
  CHECK(feast_error_unwritten_rows(error, NULL) == rows);
  feast_error_free(error);
  count = 7;
  CHECK(feast_error_unwritten_rows(NULL, &count) == NULL && count == 0 && feast_error_rows_written(NULL) == 0);
  feast_frame_free(frame);
}

static void options(feast_remote_t *remote) {
  feast_write_options_t *how = feast_write_options_new();
  feast_frame_t *frame = feast_frame_new();
  const int64_t values[] = {1};
  CHECK_OK(feast_frame_set_int64(frame, "id", values, NULL, 1, &err));
  CHECK_FAILS(feast_write_to_online_store(remote, "v", frame, how, NULL, &err), FEAST_INVALID_ARGUMENT, "event_timestamp");
  CHECK_OK(feast_write_options_set_timestamp_field(how, "", &err));
  CHECK_OK(feast_write_options_set_created_timestamp_column(how, "", &err));
  CHECK_OK(feast_write_options_set_allow_registry_cache(how, false, &err));
  CHECK_OK(feast_write_options_set_transform_on_write(how, false, &err));
  CHECK_OK(feast_write_options_set_repeat_offline(how, true, &err));
  CHECK_OK(feast_write_options_set_timeout_ms(how, 60000, &err));
  CHECK_FAILS(feast_write_options_set_timeout_ms(how, -1, &err), FEAST_INVALID_ARGUMENT, "negative");
  CHECK_FAILS(feast_write_options_set_timestamp_field(how, NULL, &err), FEAST_INVALID_ARGUMENT, "name is NULL");
  CHECK_OK(feast_write_to_online_store(remote, "v", frame, how, NULL, &err));
  feast_write_options_free(how);
  feast_frame_free(frame);
}

static void events(feast_remote_t *remote) {
  feast_queue_t *queue = NULL;
  int tag = 0;
  CHECK_OK(feast_queue_open(&queue, &err));
  feast_frame_t *frame = ids_from(1, 3), *bad = ids_from(999, 2);
  feast_call_t *call = NULL;
  CHECK_OK(feast_push_async(remote, "p", frame, FEAST_PUSH_ONLINE, NULL, queue, &tag, &call, &err));
  feast_frame_free(frame);
  feast_event_t *event = feast_queue_poll(queue, 60000);
  CHECK(feast_event_tag(event) == &tag && feast_event_status(event) == FEAST_OK);
  CHECK(feast_event_take_response(event) == NULL);
  feast_write_t *written = feast_event_take_write(event);
  CHECK(feast_write_rows_written(written) == 3 && feast_event_take_write(event) == NULL);
  feast_write_free(written);
  feast_event_free(event);
  feast_call_cancel(call);
  feast_call_free(call);
  CHECK_OK(feast_write_to_online_store_async(remote, "v", bad, NULL, queue, NULL, NULL, &err));
  event = feast_queue_poll(queue, 60000);
  CHECK(feast_event_status(event) == FEAST_SERVER && feast_event_take_write(event) == NULL);
  size_t count = 0;
  CHECK(feast_error_unwritten_rows(feast_event_error(event), &count) != NULL && count == 2);
  feast_event_free(event);
  /* One that nobody takes out. */
  CHECK_OK(feast_push_async(remote, "p", bad, FEAST_PUSH_ONLINE, NULL, queue, NULL, NULL, &err));
  feast_frame_free(bad);
  feast_queue_free(queue);
  CHECK(feast_event_take_write(NULL) == NULL);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  feast_remote_t *remote = open_at(argv[1]);
  CHECK_OK(feast_check_health(remote, &err));
  every_type(remote);
  refused(remote);
  rows_of_a_failure(remote);
  options(remote);
  events(remote);
  feast_close(remote);
  CHECK_FAILS(feast_check_health(remote, &err), FEAST_CLOSED, "closed");
  return 0;
}
