/* Typed answers and refusals of a server whose script stands in tests/c_programs.rs.
 * usage: answers URL */
#include "check.h"

static void typed_columns(feast_remote_t *remote) {
  const int64_t ids[] = {7, INT64_MAX, -1};
  feast_request_t *req = ask(ids, 3), *copy = feast_request_clone(req);
  feast_response_t *resp = NULL;
  const int64_t *offsets;
  const char *data;
  CHECK_OK(feast_request_add_feature(req, "v:text", &err));
  CHECK_OK(feast_request_add_feature(req, "v:flag", &err));
  CHECK_OK(feast_request_add_feature(req, "v:list", &err));
  CHECK_OK(feast_request_add_feature(req, "v:none", &err));
  CHECK_OK(feast_get_online_features(remote, req, &resp, &err));

  CHECK(feast_response_num_rows(resp) == 3 && feast_response_num_columns(resp) == 7);
  CHECK(feast_response_num_entities(resp) == 1);
  CHECK(strcmp(feast_response_column_name(resp, 0), "id") == 0);
  CHECK(strcmp(feast_response_column_name(resp, 1), "a") == 0);
  CHECK(feast_response_column_name(resp, 7) == NULL && feast_response_column_type(resp, 7) == FEAST_TYPE_INVALID);
  CHECK(feast_response_find_column(resp, "list") == 5 && feast_response_find_column(resp, "x") == SIZE_MAX);
  CHECK(feast_response_find_column(resp, NULL) == SIZE_MAX);
  CHECK(memcmp(feast_response_column_int64(resp, 0), ids, sizeof ids) == 0);
  CHECK(feast_response_column_type(resp, 1) == FEAST_TYPE_DOUBLE);
  CHECK(feast_response_column_double(resp, 1)[2] == 0.1 && feast_response_column_int64(resp, 1) == NULL);
  CHECK(feast_response_column_type(resp, 2) == FEAST_TYPE_INT64);
  CHECK(feast_response_column_int64(resp, 2)[1] == 9007199254740993);
  CHECK(feast_response_column_validity(resp, 2)[0] == 5 - 4 + 2 && feast_response_column_validity(resp, 1) == NULL);
  CHECK(feast_response_column_statuses(resp, 2)[2] == FEAST_STATUS_NOT_FOUND);
  CHECK(feast_response_column_statuses(resp, 2)[0] == FEAST_STATUS_PRESENT);
  CHECK(feast_response_column_event_timestamps_ns(resp, 2)[0] == 1795395600000000000);
  CHECK(feast_response_column_event_timestamps_ns(resp, 1) == NULL);

  CHECK_OK(feast_response_column_string(resp, 3, &offsets, &data, &err));
  CHECK(offsets[0] == 0 && offsets[3] == 6 && memcmp(data, "\xc3\xbc\0abc", 6) == 0);
  CHECK(feast_response_column_type(resp, 4) == FEAST_TYPE_BOOL);
  CHECK(feast_response_column_bool(resp, 4)[0] == 1 && feast_response_column_bool(resp, 4)[1] == 0);
  CHECK(feast_response_column_type(resp, 5) == FEAST_TYPE_INT64_LIST);
  CHECK(feast_response_column_type(resp, 6) == FEAST_TYPE_NULL);
  CHECK_FAILS(feast_response_column_string(resp, 1, &offsets, &data, &err), FEAST_TYPE, "of type DOUBLE");
  CHECK_FAILS(feast_response_column_string(resp, 9, &offsets, &data, &err), FEAST_INVALID_ARGUMENT, "no column 9, the response has 7");

  /* The copy is a request of its own. */
  feast_request_free(req);
  feast_response_free(resp);
  CHECK_OK(feast_get_online_features(remote, copy, &resp, &err));
  CHECK(feast_response_num_columns(resp) == 3);
  feast_request_free(copy);
  feast_response_free(resp);
}

/* Asks for the script's case and checks how it fails. */
static void refused(feast_remote_t *remote, const char *name, feast_status_t code, int http_status, const char *words) {
  const int64_t id = 1;
  feast_request_t *req = ask(&id, 1);
  feast_response_t *resp = NULL;
  feast_error_t *err = NULL;
  CHECK_OK(feast_request_set_entity_json(req, name, "[0]", &err));
  feast_status_t got = feast_get_online_features(remote, req, &resp, &err);
  if (got != code || feast_error_http_status(err) != http_status || resp != NULL ||
      strstr(feast_error_message(err), words) == NULL) {
    fprintf(stderr, "%s: %s, HTTP %d: %s\n", name, feast_status_name(got), feast_error_http_status(err), feast_error_message(err));
    exit(1);
  }
  CHECK((feast_error_feast_class(err) != NULL) == (strcmp(name, "feast_error") == 0));
  feast_error_free(err);
  feast_request_free(req);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  feast_remote_t *remote = open_at(argv[1]);
  typed_columns(remote);
  refused(remote, "feast_error", FEAST_NOT_FOUND, 404, "FeatureViewNotFoundException: Feature view nope");
  refused(remote, "plain_string", FEAST_SERVER, 500, "HTTP 500: 'pop from an empty set' (2 attempts");
  refused(remote, "fastapi", FEAST_INVALID_REQUEST, 422, "body.entities: Field required");
  refused(remote, "go_server", FEAST_SERVER, 500, "Error getting feature vector");
  refused(remote, "html", FEAST_SERVER, 502, "502 Bad Gateway (first line of");
  refused(remote, "empty", FEAST_PERMISSION_DENIED, 403, "(empty body)");
  refused(remote, "redirect", FEAST_SERVER, 307, "redirects are not followed");
  refused(remote, "throttled", FEAST_THROTTLED, 429, "slow down");
  refused(remote, "not_json", FEAST_DECODE, 200, "an object was expected at byte 0, near `<html>`");
  refused(remote, "cut_off", FEAST_DECODE, 200, "ends within a string");
  refused(remote, "cut_body", FEAST_IO, 0, "the connection broke");
  refused(remote, "unequal", FEAST_DECODE, 200, "0 values and 1 statuses");
  refused(remote, "wrong_rows", FEAST_DECODE, 200, "has 0 rows, 1 were asked for");
  refused(remote, "unasked", FEAST_DECODE, 200, "column `c` was not asked for");
  refused(remote, "fewer", FEAST_DECODE, 200, "feature `v:b` is missing");

  char *json = NULL;
  size_t len = 0;
  CHECK_OK(feast_stats_json(remote, &json, &len, &err));
  CHECK(strlen(json) == len && strstr(json, "\"connections_opened\":") != NULL);
  feast_string_free(json);
  const char *body = "{\"features\":[\"v:a\"],\"entities\":{\"raw\":[1]}}";
  CHECK_OK(feast_get_online_features_json(remote, body, strlen(body), 0, &json, &len, &err));
  CHECK(len == 13 && strcmp(json, " {\"any\": [1]}") == 0);
  feast_string_free(json);
  body = "{\"features\":[\"v:a\"],\"entities\":{\"cut_off\":[1]}}";
  CHECK_FAILS(feast_get_online_features_json(remote, body, strlen(body), 0, &json, &len, &err), FEAST_DECODE, "ends within a string");
  CHECK(json == NULL && len == 0);
  CHECK_FAILS(feast_get_online_features_json(remote, "\xff", 1, 0, &json, &len, &err), FEAST_INVALID_ARGUMENT, "not UTF-8");
  feast_close(remote);
  return 0;
}
