/* NULL anywhere and every kind of bad argument: a clear error, nothing written, nothing leaked. No server. */
#include "check.h"

static void count(int32_t level, const char *message, void *calls) {
  CHECK(level == FEAST_LOG_WARNING && strstr(message, "verify_ssl is false") != NULL);
  ++*(int *)calls;
}

static void log_callback(void) {
  int calls = 0;
  feast_config_t *config = feast_config_new();
  feast_remote_t *remote = NULL;
  CHECK_OK(feast_config_set(config, "verify_ssl", "no", &err));
  CHECK_OK(feast_config_set(config, "path", "https://127.0.0.1:1", &err));
  for (int turn = 0; turn < 3; turn++) {
    feast_set_log_callback(turn == 1 ? count : NULL, &calls, turn);
    CHECK_OK(feast_remote_open(config, &remote, &err));
    feast_close(remote);
    CHECK(calls == (turn >= 1));
  }
  feast_config_free(config);
}

static void null_everywhere(void) {
  feast_config_t *config = feast_config_new();
  feast_request_t *req = feast_request_new();
  feast_remote_t *remote = open_at("http://127.0.0.1:1");
  feast_response_t *resp = (feast_response_t *)&resp;
  const int64_t *offsets = (const int64_t *)&offsets;
  const char *data = (const char *)&data;
  char *json = (char *)&json;
  size_t len = 7;
  int64_t id = 1;
  double real = 1;
  bool yes = true;
  const char *text = "x", *no_text = NULL;

  CHECK_FAILS(feast_config_set(NULL, "path", "x", &err), FEAST_INVALID_ARGUMENT, "config is NULL");
  CHECK_FAILS(feast_config_set(config, NULL, "x", &err), FEAST_INVALID_ARGUMENT, "key is NULL");
  CHECK_FAILS(feast_config_set(config, "path", NULL, &err), FEAST_INVALID_ARGUMENT, "value is NULL");
  CHECK_FAILS(feast_config_load_yaml(NULL, "x", &err), FEAST_INVALID_ARGUMENT, "config is NULL");
  CHECK_FAILS(feast_config_load_yaml(config, NULL, &err), FEAST_INVALID_ARGUMENT, "path is NULL");
  CHECK_FAILS(feast_remote_open(config, NULL, &err), FEAST_INVALID_ARGUMENT, "remote is NULL");
  feast_remote_t *none = remote;
  CHECK_FAILS(feast_remote_open(NULL, &none, &err), FEAST_INVALID_ARGUMENT, "config is NULL");
  CHECK(none == NULL);
  CHECK(feast_remote_open(NULL, NULL, NULL) == FEAST_INVALID_ARGUMENT);

  CHECK_FAILS(feast_request_add_feature(NULL, "v:f", &err), FEAST_INVALID_ARGUMENT, "request is NULL");
  CHECK_FAILS(feast_request_add_feature(req, NULL, &err), FEAST_INVALID_ARGUMENT, "feature is NULL");
  CHECK_FAILS(feast_request_set_feature_service(NULL, "s", &err), FEAST_INVALID_ARGUMENT, "request is NULL");
  CHECK_FAILS(feast_request_set_feature_service(req, NULL, &err), FEAST_INVALID_ARGUMENT, "name is NULL");
  CHECK_FAILS(feast_request_set_full_feature_names(NULL, true, &err), FEAST_INVALID_ARGUMENT, "request is NULL");
  CHECK_FAILS(feast_request_set_timeout_ms(NULL, 1, &err), FEAST_INVALID_ARGUMENT, "request is NULL");
  CHECK_FAILS(feast_request_set_entity_int64(NULL, "e", &id, 1, &err), FEAST_INVALID_ARGUMENT, "request is NULL");
  CHECK_FAILS(feast_request_set_entity_int64(req, NULL, &id, 1, &err), FEAST_INVALID_ARGUMENT, "name is NULL");
  CHECK_FAILS(feast_request_set_entity_int64(req, "e", NULL, 1, &err), FEAST_INVALID_ARGUMENT, "values is NULL");
  CHECK_FAILS(feast_request_set_entity_double(NULL, "e", &real, 1, &err), FEAST_INVALID_ARGUMENT, "request is NULL");
  CHECK_FAILS(feast_request_set_entity_double(req, "e", NULL, 1, &err), FEAST_INVALID_ARGUMENT, "values is NULL");
  CHECK_FAILS(feast_request_set_entity_bool(NULL, "e", &yes, 1, &err), FEAST_INVALID_ARGUMENT, "request is NULL");
  CHECK_FAILS(feast_request_set_entity_bool(req, "e", NULL, 1, &err), FEAST_INVALID_ARGUMENT, "values is NULL");
  CHECK_FAILS(feast_request_set_entity_string(NULL, "e", &text, NULL, 1, &err), FEAST_INVALID_ARGUMENT, "request is NULL");
  CHECK_FAILS(feast_request_set_entity_string(req, "e", NULL, NULL, 1, &err), FEAST_INVALID_ARGUMENT, "values is NULL");
  CHECK_FAILS(feast_request_set_entity_string(req, "e", &no_text, NULL, 1, &err), FEAST_INVALID_ARGUMENT, "row 0: the string is NULL");
  CHECK_FAILS(feast_request_set_entity_json(NULL, "e", "[]", &err), FEAST_INVALID_ARGUMENT, "request is NULL");
  CHECK_FAILS(feast_request_set_entity_json(req, "e", NULL, &err), FEAST_INVALID_ARGUMENT, "json_array is NULL");
  CHECK(feast_request_clone(NULL) == NULL);

  CHECK_FAILS(feast_get_online_features(NULL, req, &resp, &err), FEAST_INVALID_ARGUMENT, "remote is NULL");
  CHECK(resp == NULL);
  resp = (feast_response_t *)&resp;
  CHECK_FAILS(feast_get_online_features(remote, NULL, &resp, &err), FEAST_INVALID_ARGUMENT, "request is NULL");
  CHECK(resp == NULL);
  CHECK_FAILS(feast_get_online_features(remote, req, NULL, &err), FEAST_INVALID_ARGUMENT, "response is NULL");
  CHECK(feast_get_online_features(NULL, NULL, NULL, NULL) == FEAST_INVALID_ARGUMENT);
  CHECK_FAILS(feast_get_online_features_json(NULL, "{}", 2, 0, &json, &len, &err), FEAST_INVALID_ARGUMENT, "remote is NULL");
  CHECK(json == NULL && len == 0);
  CHECK_FAILS(feast_get_online_features_json(remote, NULL, 2, 0, &json, NULL, &err), FEAST_INVALID_ARGUMENT, "body is NULL");
  CHECK_FAILS(feast_get_online_features_json(remote, "{}", 2, 0, NULL, NULL, &err), FEAST_INVALID_ARGUMENT, "json is NULL");
  CHECK_FAILS(feast_get_online_features_json(remote, "{}", 2, -1, &json, NULL, &err), FEAST_INVALID_ARGUMENT, "-1 is negative");

  CHECK_FAILS(feast_stats_json(NULL, &json, &len, &err), FEAST_INVALID_ARGUMENT, "remote is NULL");
  CHECK_FAILS(feast_stats_json(remote, NULL, NULL, &err), FEAST_INVALID_ARGUMENT, "json is NULL");
  CHECK_FAILS(feast_response_column_string(NULL, 0, &offsets, &data, &err), FEAST_INVALID_ARGUMENT, "response is NULL");
  CHECK(offsets == NULL && data == NULL);
  CHECK_FAILS(feast_response_column_string(NULL, 0, NULL, &data, &err), FEAST_INVALID_ARGUMENT, "offsets is NULL");
  CHECK(feast_response_num_rows(NULL) == 0 && feast_response_num_columns(NULL) == 0);
  CHECK(feast_response_num_entities(NULL) == 0 && feast_response_column_name(NULL, 0) == NULL);
  CHECK(feast_response_find_column(NULL, "x") == SIZE_MAX);
  CHECK(feast_response_column_type(NULL, 0) == FEAST_TYPE_INVALID);
  CHECK(feast_response_column_int64(NULL, 0) == NULL && feast_response_column_double(NULL, 0) == NULL);
  CHECK(feast_response_column_bool(NULL, 0) == NULL && feast_response_column_validity(NULL, 0) == NULL);
  CHECK(feast_response_column_statuses(NULL, 0) == NULL);
  CHECK(feast_response_column_event_timestamps_ns(NULL, 0) == NULL);

  CHECK(feast_error_code(NULL) == FEAST_OK && strcmp(feast_error_message(NULL), "") == 0);
  CHECK(feast_error_http_status(NULL) == 0 && feast_error_feast_class(NULL) == NULL);
  CHECK(feast_error_attempts(NULL) == 0 && !feast_error_is_retriable(NULL));
  feast_config_free(NULL);
  feast_request_free(NULL);
  feast_response_free(NULL);
  feast_error_free(NULL);
  feast_string_free(NULL);
  feast_close(NULL);

  feast_request_free(req);
  feast_config_free(config);
  feast_close(remote);
}

static void bad_requests(void) {
  feast_remote_t *remote = open_at("http://127.0.0.1:1");
  feast_request_t *req = feast_request_new();
  feast_response_t *resp = NULL;
  const int64_t ids[] = {1, 2};
  const double odd[] = {1.5, 0.0 / 0.0 > 0 ? 0 : (double)1e308 * 10};
  const bool flags[] = {true, false};
  const char *strings[] = {"ok", "\xff"};
  const size_t lengths[] = {2, 1};
  const char *with_nul[] = {"a\0b"};
  const size_t three[] = {3};
  const char *fine[] = {"ab-ignored", "c"};
  const size_t fine_lengths[] = {2, 1};

  CHECK_FAILS(feast_get_online_features(remote, req, &resp, &err), FEAST_INVALID_ARGUMENT, "names no feature");
  CHECK_FAILS(feast_request_add_feature(req, "no_colon", &err), FEAST_INVALID_ARGUMENT, "view:feature");
  CHECK_FAILS(feast_request_add_feature(req, "v:\xc3", &err), FEAST_INVALID_ARGUMENT, "not UTF-8 at byte 2");
  CHECK_OK(feast_request_add_feature(req, "v:a", &err));
  CHECK_FAILS(feast_get_online_features(remote, req, &resp, &err), FEAST_INVALID_ARGUMENT, "no entities");
  CHECK_OK(feast_request_set_entity_int64(req, "id", NULL, 0, &err));
  CHECK_FAILS(feast_get_online_features(remote, req, &resp, &err), FEAST_INVALID_ARGUMENT, "no rows");
  CHECK_OK(feast_request_set_entity_int64(req, "id", ids, 2, &err));
  CHECK_FAILS(feast_request_set_entity_double(req, "d", odd, 2, &err), FEAST_INVALID_ARGUMENT, "row 1");
  CHECK_FAILS(feast_request_set_entity_string(req, "s", strings, lengths, 2, &err), FEAST_INVALID_ARGUMENT, "row 1: not UTF-8");
  CHECK_FAILS(feast_request_set_entity_string(req, "s", with_nul, three, 1, &err), FEAST_INVALID_ARGUMENT, "a NUL within the length");
  CHECK_FAILS(feast_request_set_entity_json(req, "j", "{}", &err), FEAST_INVALID_ARGUMENT, "not a JSON array");
  CHECK_FAILS(feast_request_set_entity_json(req, "", "[]", &err), FEAST_INVALID_ARGUMENT, "name of the entity is empty");
  CHECK_FAILS(feast_request_set_timeout_ms(req, -5, &err), FEAST_INVALID_ARGUMENT, "-5 is negative");
  CHECK_OK(feast_request_set_entity_bool(req, "b", flags, 1, &err));
  CHECK_FAILS(feast_get_online_features(remote, req, &resp, &err), FEAST_INVALID_ARGUMENT, "`id` has 2 rows, `b` has 1");
  CHECK_OK(feast_request_set_entity_bool(req, "b", flags, 2, &err));
  CHECK_OK(feast_request_set_entity_string(req, "s", fine, fine_lengths, 2, &err));
  CHECK_OK(feast_request_set_feature_service(req, "svc", &err));
  CHECK_FAILS(feast_get_online_features(remote, req, &resp, &err), FEAST_INVALID_ARGUMENT, "one or the other");
  CHECK(resp == NULL);
  feast_request_free(req);
  feast_close(remote);
}

static void bad_configurations(void) {
  feast_config_t *config = feast_config_new();
  feast_remote_t *remote = NULL;
  CHECK_FAILS(feast_config_set(config, "connection_pool_siz", "1", &err), FEAST_CONFIG, "did you mean `connection_pool_size`?");
  CHECK_FAILS(feast_config_set(config, "connection_retries", "21", &err), FEAST_CONFIG, "from 0 to 20");
  CHECK_FAILS(feast_config_set(config, "path", "localhost:6566", &err), FEAST_CONFIG, "must begin with http:// or https://");
  CHECK_FAILS(feast_config_set(config, "path", "\xff", &err), FEAST_INVALID_ARGUMENT, "not UTF-8");
  CHECK_FAILS(feast_config_load_yaml(config, "/no/such.yaml", &err), FEAST_CONFIG, "/no/such.yaml: No such file");
  CHECK_OK(feast_config_set(config, "cert", "/no/such.pem", &err));
  CHECK_FAILS(feast_remote_open(config, &remote, &err), FEAST_CONFIG, "cert: /no/such.pem: No such file");
  CHECK(remote == NULL);
  feast_config_free(config);
}

static void unreachable_host(void) {
  feast_remote_t *remote = open_at("http://127.0.0.1:1");
  const int64_t id = 1;
  feast_request_t *req = ask(&id, 1);
  feast_response_t *resp = NULL;
  feast_error_t *err = NULL;
  CHECK(feast_get_online_features(remote, req, &resp, &err) == FEAST_CONNECT);
  CHECK(resp == NULL && feast_error_attempts(err) == 4 && feast_error_is_retriable(err));
  CHECK(feast_error_http_status(err) == 0 && feast_error_feast_class(err) == NULL);
  CHECK(strstr(feast_error_message(err), "http://127.0.0.1:1: cannot connect") != NULL);
  CHECK(strstr(feast_error_message(err), "4 attempts") != NULL);
  feast_error_free(err);
  CHECK(feast_get_online_features(remote, req, &resp, NULL) == FEAST_CONNECT);
  feast_request_free(req);
  feast_close(remote);
}

static void status_names_and_versions(void) {
  CHECK(strcmp(feast_status_name(FEAST_OK), "OK") == 0);
  CHECK(strcmp(feast_status_name(FEAST_PERMISSION_DENIED), "PERMISSION_DENIED") == 0);
  CHECK(strcmp(feast_status_name(-1), "UNKNOWN") == 0 && strcmp(feast_status_name(1), "UNKNOWN") == 0);
  /* Newer, where this is compiled against an earlier header (tests/packaging/abi.rs). */
  CHECK(feast_version_number() >= FEAST_VERSION_NUMBER);
  CHECK(strstr(feast_version_string(), "libcurl/") != NULL);
}

int main(void) {
  log_callback();
  null_everywhere();
  bad_requests();
  bad_configurations();
  unreachable_host();
  status_names_and_versions();
  return 0;
}
