// What Go needs of the library in one crossing from Go into C, where the library's own functions would take several or take
// arrays of pointers, which Go may not pass.
#ifndef FEASTREMOTE_BRIDGE_H
#define FEASTREMOTE_BRIDGE_H

#include <feast_remote.h>
#include <stdlib.h>
#include <time.h>

// Calls.

// Few: all of a batch are decoded before the first of them is handed on.
enum { FEASTREMOTE_BATCH = 4 };

// A call that has ended. One that failed keeps its event for its error.
typedef struct {
  uintptr_t tag;
  feast_response_t *response;
  size_t rows;
  feast_write_t *written;
  feast_event_t *failed;
} finished_t;

static inline size_t take_finished(feast_queue_t *queue, int64_t timeout_ms, finished_t *finished) {
  feast_event_t *events[FEASTREMOTE_BATCH];
  size_t count = feast_queue_poll_batch(queue, timeout_ms, events, FEASTREMOTE_BATCH);
  for (size_t i = 0; i < count; i++) {
    finished_t *one = &finished[i];
    one->tag = (uintptr_t)feast_event_tag(events[i]);
    one->response = feast_event_take_response(events[i]);
    one->rows = feast_response_num_rows(one->response);
    one->written = feast_event_take_write(events[i]);
    one->failed = NULL;
    if (feast_event_status(events[i]) == FEAST_OK) {
      feast_event_free(events[i]);
    } else {
      one->failed = events[i];
    }
  }
  return count;
}

// The moment that is so many nanoseconds away, for feast_request_set_deadline_ns().
static inline int64_t moment_in(int64_t nanoseconds) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  int64_t moment;
  if (__builtin_add_overflow((int64_t)now.tv_sec * 1000000000 + now.tv_nsec, nanoseconds, &moment)) {
    return nanoseconds < 0 ? INT64_MIN : INT64_MAX;
  }
  return moment;
}

// The request with the earlier of its own deadline and the one that is so many nanoseconds away; a copy, if that is another one.
static inline feast_request_t *until(feast_request_t *request, int64_t own, int64_t left) {
  if (left == INT64_MAX) return request;
  int64_t deadline = moment_in(left);
  feast_request_t *copy = feast_request_clone(request);
  feast_request_set_deadline_ns(copy, deadline < own ? deadline : own, NULL);
  return copy;
}

static inline feast_status_t fetch(feast_remote_t *remote, feast_request_t *request, int64_t own, int64_t left,
                                   feast_response_t **response, feast_error_t **err) {
  feast_request_t *asked = until(request, own, left);
  feast_status_t status = feast_get_online_features(remote, asked, response, err);
  if (asked != request) feast_request_free(asked);
  return status;
}

static inline feast_status_t fetch_into(feast_remote_t *remote, feast_request_t *request, int64_t own, int64_t left, float *out,
                                        size_t row_stride, float missing, uint8_t *statuses, feast_error_t **err) {
  feast_request_t *asked = until(request, own, left);
  feast_status_t status = feast_get_online_features_into_f32(remote, asked, out, row_stride, missing, statuses, err);
  if (asked != request) feast_request_free(asked);
  return status;
}

// The tags of calls are numbers, which Go may not pass as pointers.
static inline feast_status_t submit(feast_remote_t *remote, feast_request_t *request, int64_t own, int64_t left,
                                    feast_queue_t *queue, uintptr_t tag, feast_call_t **call, feast_error_t **err) {
  feast_request_t *asked = until(request, own, left);
  feast_status_t status = feast_get_online_features_async(remote, asked, queue, (void *)tag, call, err);
  if (asked != request) feast_request_free(asked);
  return status;
}

static inline feast_status_t submit_push(feast_remote_t *remote, const char *push_source, const feast_frame_t *frame,
                                         feast_push_to_t to, const feast_write_options_t *options, feast_queue_t *queue,
                                         uintptr_t tag, feast_call_t **call, feast_error_t **err) {
  return feast_push_async(remote, push_source, frame, to, options, queue, (void *)tag, call, err);
}

static inline feast_status_t submit_write(feast_remote_t *remote, const char *feature_view, const feast_frame_t *frame,
                                          const feast_write_options_t *options, feast_queue_t *queue, uintptr_t tag,
                                          feast_call_t **call, feast_error_t **err) {
  return feast_write_to_online_store_async(remote, feature_view, frame, options, queue, (void *)tag, call, err);
}

// Arrays of strings: Go passes one text and the lengths of its parts.

static inline const char **parts_of(const char *data, const size_t *lengths, const uint8_t *nulls, size_t count) {
  const char **parts = malloc((count + 1) * sizeof *parts);
  if (parts == NULL) abort();
  if (data == NULL) data = ""; // Go's empty string
  for (size_t i = 0; i < count; i++) {
    parts[i] = nulls != NULL && nulls[i] ? NULL : data;
    data += lengths[i];
  }
  return parts;
}

// The columns of a request.

typedef enum { FEASTREMOTE_ENTITY, FEASTREMOTE_REQUEST_DATA } role_t;

static inline feast_status_t set_values(feast_request_t *request, role_t role, feast_type_t type, const char *name,
                                        const void *values, size_t count, feast_error_t **err) {
  bool entity = role == FEASTREMOTE_ENTITY;
  switch (type) {
    case FEAST_TYPE_BOOL:
      return (entity ? feast_request_set_entity_bool : feast_request_set_request_data_bool)(request, name, values, count, err);
    case FEAST_TYPE_INT64:
      return (entity ? feast_request_set_entity_int64 : feast_request_set_request_data_int64)(request, name, values, count, err);
    default:
      return (entity ? feast_request_set_entity_double : feast_request_set_request_data_double)(request, name, values, count, err);
  }
}

static inline feast_status_t set_strings(feast_request_t *request, role_t role, const char *name, const char *data,
                                         const size_t *lengths, size_t count, feast_error_t **err) {
  const char **values = parts_of(data, lengths, NULL, count);
  bool entity = role == FEASTREMOTE_ENTITY;
  feast_status_t status = (entity ? feast_request_set_entity_string : feast_request_set_request_data_string)(
      request, name, values, lengths, count, err);
  free(values);
  return status;
}

static inline feast_status_t set_json(feast_request_t *request, role_t role, const char *name, const char *json_array,
                                      feast_error_t **err) {
  bool entity = role == FEASTREMOTE_ENTITY;
  return (entity ? feast_request_set_entity_json : feast_request_set_request_data_json)(request, name, json_array, err);
}

// The columns of a frame.

static inline feast_status_t set_frame_strings(feast_frame_t *frame, const char *name, const char *data, const size_t *lengths,
                                               const uint8_t *nulls, size_t rows, feast_error_t **err) {
  const char **values = parts_of(data, lengths, nulls, rows);
  feast_status_t status = feast_frame_set_string(frame, name, values, lengths, rows, err);
  free(values);
  return status;
}

// Each text has a NUL behind it, which its length counts.
static inline feast_status_t set_frame_string_lists(feast_frame_t *frame, const char *name, const int64_t *offsets,
                                                    const char *data, const size_t *lengths, const uint8_t *validity,
                                                    size_t rows, feast_error_t **err) {
  const char **values = parts_of(data, lengths, NULL, (size_t)offsets[rows]);
  feast_status_t status = feast_frame_set_string_list(frame, name, offsets, values, validity, rows, err);
  free(values);
  return status;
}

static inline feast_status_t prometheus_text(const feast_remote_t *const *stores, const char *names, const size_t *lengths,
                                             size_t count, char **text, size_t *length, feast_error_t **err) {
  const char **parts = parts_of(names, lengths, NULL, count);
  feast_status_t status = feast_stats_prometheus(stores, parts, count, text, length, err);
  free(parts);
  return status;
}

// Columns of fixed width by their names, in the type that Go asks for.

static inline feast_status_t get_values(const feast_response_t *response, feast_type_t type, const char *name,
                                        const void **values, const uint8_t **validity, feast_error_t **err) {
  switch (type) {
    case FEAST_TYPE_BOOL: return feast_response_get_bool(response, name, (const uint8_t **)values, validity, err);
    case FEAST_TYPE_INT32: return feast_response_get_int32(response, name, (const int32_t **)values, validity, err);
    case FEAST_TYPE_INT64: return feast_response_get_int64(response, name, (const int64_t **)values, validity, err);
    case FEAST_TYPE_FLOAT: return feast_response_get_float(response, name, (const float **)values, validity, err);
    default: return feast_response_get_double(response, name, (const double **)values, validity, err);
  }
}

static inline feast_status_t get_lists(const feast_response_t *response, feast_type_t type, const char *name,
                                       const int64_t **offsets, const void **items, const uint8_t **validity,
                                       feast_error_t **err) {
  switch (type) {
    case FEAST_TYPE_BOOL: return feast_response_get_bool_list(response, name, offsets, (const uint8_t **)items, validity, err);
    case FEAST_TYPE_INT32: return feast_response_get_int32_list(response, name, offsets, (const int32_t **)items, validity, err);
    case FEAST_TYPE_INT64: return feast_response_get_int64_list(response, name, offsets, (const int64_t **)items, validity, err);
    case FEAST_TYPE_FLOAT: return feast_response_get_float_list(response, name, offsets, (const float **)items, validity, err);
    default: return feast_response_get_double_list(response, name, offsets, (const double **)items, validity, err);
  }
}

// Matrices, of the columns whose names stand one behind the other, each with a NUL; of all features, if data is NULL.
static inline feast_status_t copy_matrix(const feast_response_t *response, feast_type_t type, const char *data,
                                         const size_t *lengths, size_t count, void *out, size_t row_stride, double missing,
                                         int64_t missing_integer, uint8_t *statuses, feast_error_t **err) {
  const char **names = data == NULL ? NULL : parts_of(data, lengths, NULL, count);
  feast_status_t status;
  switch (type) {
    case FEAST_TYPE_FLOAT:
      status = feast_response_copy_f32(response, names, count, out, row_stride, (float)missing, statuses, err);
      break;
    case FEAST_TYPE_DOUBLE:
      status = feast_response_copy_f64(response, names, count, out, row_stride, missing, statuses, err);
      break;
    default: status = feast_response_copy_i64(response, names, count, out, row_stride, missing_integer, statuses, err);
  }
  free(names);
  return status;
}

static inline size_t matrix_width(const feast_response_t *response, const char *data, const size_t *lengths, size_t count) {
  const char **names = data == NULL ? NULL : parts_of(data, lengths, NULL, count);
  size_t width = feast_response_matrix_width(response, names, count);
  free(names);
  return width;
}

#endif
