/* Columns by name, as the type that is asked for. usage: typed_columns URL */
#include "check.h"

static feast_response_t *answer(const char *url) {
  static const char *const features[] = {"v:none", "v:whole", "v:real", "v:text", "v:lists", "v:flag", "v:wide"};
  feast_remote_t *remote = open_at(url);
  feast_request_t *req = feast_request_new();
  feast_response_t *resp = NULL;
  const int64_t ids[] = {1, 2};
  for (size_t i = 0; i < sizeof features / sizeof *features; i++) CHECK_OK(feast_request_add_feature(req, features[i], &err));
  CHECK_OK(feast_request_set_entity_int64(req, "id", ids, 2, &err));
  CHECK_OK(feast_get_online_features(remote, req, &resp, &err));
  feast_request_free(req);
  feast_close(remote);
  return resp;
}

static void a_column_without_a_value(const feast_response_t *resp) {
  const int64_t *integers, *offsets, *ends;
  const int32_t *small;
  const double *doubles;
  const float *floats;
  const uint8_t *flags, *validity;
  const char *data;
  const void *items;
  CHECK_OK(feast_response_get_int64(resp, "none", &integers, &validity, &err));
  CHECK(integers[0] == 0 && integers[1] == 0 && (validity[0] & 3) == 0);
  CHECK_OK(feast_response_get_int32(resp, "none", &small, NULL, &err));
  CHECK_OK(feast_response_get_double(resp, "none", &doubles, NULL, &err));
  CHECK_OK(feast_response_get_float(resp, "none", &floats, NULL, &err));
  CHECK_OK(feast_response_get_bool(resp, "none", &flags, NULL, &err));
  CHECK(small[1] == 0 && doubles[1] == 0 && floats[1] == 0 && flags[1] == 0);
  CHECK_OK(feast_response_get_string(resp, "none", &offsets, &data, &validity, &err));
  CHECK(offsets[0] == 0 && offsets[2] == 0 && data != NULL && (validity[0] & 3) == 0);
  CHECK_OK(feast_response_get_double_list(resp, "none", &offsets, &doubles, &validity, &err));
  CHECK(offsets[2] == 0 && (validity[0] & 3) == 0);
  CHECK_OK(feast_response_get_string_list(resp, "none", &offsets, &ends, &data, NULL, &err));
  CHECK(offsets[2] == 0 && ends[0] == 0);

  const size_t column = feast_response_find_column(resp, "none");
  CHECK(feast_response_column_type(resp, column) == FEAST_TYPE_NULL);
  CHECK(feast_response_column_int64(resp, column)[1] == 0 && feast_response_column_int32(resp, column)[1] == 0);
  CHECK(feast_response_column_double(resp, column)[1] == 0 && feast_response_column_float(resp, column)[1] == 0);
  CHECK(feast_response_column_bool(resp, column)[1] == 0);
  CHECK_OK(feast_response_column_string(resp, column, &offsets, &data, &err));
  CHECK(offsets[2] == 0);
  CHECK_OK(feast_response_column_list(resp, column, &offsets, &items, &err));
  CHECK(offsets[2] == 0);
}

static void numbers(const feast_response_t *resp) {
  const int64_t *integers, *offsets;
  const int32_t *small;
  const double *doubles, *again;
  const float *floats;
  const uint8_t *validity;
  CHECK_OK(feast_response_get_int64(resp, "whole", &integers, &validity, &err));
  CHECK_OK(feast_response_get_int32(resp, "whole", &small, NULL, &err));
  CHECK(integers[0] == 3 && integers[1] == 0 && validity[0] == 1 && small[0] == 3);
  CHECK_OK(feast_response_get_double(resp, "id", &doubles, &validity, &err));
  CHECK_OK(feast_response_get_double(resp, "id", &again, NULL, &err));
  CHECK(doubles[0] == 1 && doubles[1] == 2 && validity == NULL && doubles == again);
  CHECK(feast_response_column_double(resp, 0)[1] == 2); /* integers, wanted as reals */
  CHECK_OK(feast_response_get_float(resp, "real", &floats, NULL, &err));
  CHECK(floats[1] == 0.1f);
  CHECK_OK(feast_response_get_double_list(resp, "lists", &offsets, &doubles, NULL, &err));
  CHECK(offsets[1] == 2 && offsets[2] == 2 && doubles[0] == 0 && doubles[1] == 5);
}

static void mistakes(const feast_response_t *resp) {
  const int64_t *integers = (const int64_t *)resp;
  const double *doubles;
  const uint8_t *flags;
  CHECK_FAILS(feast_response_get_int64(resp, "text", &integers, NULL, &err), FEAST_TYPE, "`text` is STRING, not INT64");
  CHECK(integers == NULL);
  CHECK_FAILS(feast_response_get_int64(resp, "real", &integers, NULL, &err), FEAST_TYPE, "row 1 is 1e-1");
  CHECK_FAILS(feast_response_get_double(resp, "wide", &doubles, NULL, &err), FEAST_TYPE, "row 0 is 9007199254740993");
  CHECK_FAILS(feast_response_get_bool(resp, "whole", &flags, NULL, &err), FEAST_TYPE, "`whole` is DOUBLE, not BOOL");
  CHECK_FAILS(feast_response_get_int64(resp, "lists", &integers, NULL, &err), FEAST_TYPE, "INT64_LIST, not INT64");
  CHECK_FAILS(feast_response_get_int64(resp, "hole", &integers, NULL, &err), FEAST_INVALID_ARGUMENT,
              "no column `hole`; the answer has none, whole, real, text, lists, flag, wide, id");
  const char *data;
  CHECK_FAILS(feast_response_column_string(resp, feast_response_find_column(resp, "hole"), &integers, &data, &err),
              FEAST_INVALID_ARGUMENT, "there is no column -1, the response has 8");
  CHECK_FAILS(feast_response_get_int64(resp, NULL, &integers, NULL, &err), FEAST_INVALID_ARGUMENT, "name is NULL");
  CHECK_FAILS(feast_response_get_int64(resp, "id", NULL, NULL, &err), FEAST_INVALID_ARGUMENT, "values is NULL");
  CHECK_FAILS(feast_response_get_int64(NULL, "id", &integers, NULL, &err), FEAST_INVALID_ARGUMENT, "response is NULL");
  CHECK_FAILS(feast_response_get_int64(resp, "\xff", &integers, NULL, &err), FEAST_INVALID_ARGUMENT, "not UTF-8");
}

/* What is said of columns beforehand. */
static void declared(const char *url) {
  feast_remote_t *remote = open_at(url);
  feast_request_t *req = feast_request_new();
  feast_response_t *resp = NULL;
  const int64_t ids[] = {1, 2};
  float matrix[2 * 4];
  CHECK_OK(feast_request_add_list_feature(req, "v:none", FEAST_TYPE_FLOAT_LIST, 3, &err));
  CHECK_OK(feast_request_add_feature(req, "v:whole", &err));
  CHECK_OK(feast_request_set_entity_int64(req, "id", ids, 2, &err));
  CHECK_OK(feast_request_set_missing_value(req, "v:whole", 0.5, &err));
  CHECK_OK(feast_request_declare_column(req, "id", FEAST_TYPE_DOUBLE, 0, &err));
  CHECK(feast_request_matrix_width(req) == 4 && feast_request_matrix_width(NULL) == 0);
  CHECK_OK(feast_get_online_features_into_f32(remote, req, matrix, 4, -1, NULL, &err));
  CHECK(matrix[0] == -1 && matrix[2] == -1 && matrix[3] == 3 && matrix[6] == -1 && matrix[7] == 0.5f);
  CHECK_OK(feast_get_online_features(remote, req, &resp, &err));
  CHECK(feast_response_column_type(resp, 0) == FEAST_TYPE_DOUBLE && feast_response_column_type(resp, 1) == FEAST_TYPE_FLOAT_LIST);
  CHECK(feast_response_matrix_width(resp, NULL, 0) == 4 && feast_response_matrix_width(NULL, NULL, 0) == 0);
  CHECK_FAILS(feast_request_add_list_feature(req, "v:x", FEAST_TYPE_FLOAT, 3, &err), FEAST_INVALID_ARGUMENT, "FLOAT is no type of lists");
  CHECK_FAILS(feast_request_add_list_feature(req, "v:x", FEAST_TYPE_FLOAT_LIST, 0, &err), FEAST_INVALID_ARGUMENT, "list_length is 0");
  CHECK_FAILS(feast_request_declare_column(req, "x", FEAST_TYPE_NULL, 0, &err), FEAST_INVALID_ARGUMENT, "no type");
  CHECK_FAILS(feast_request_set_missing_value(req, "v:x", 1, &err), FEAST_INVALID_ARGUMENT, "has not been added");
  CHECK_OK(feast_request_add_typed_feature(req, "v:lists", FEAST_TYPE_INT64_LIST, &err));
  CHECK(feast_request_matrix_width(req) == 0);
  feast_response_free(resp);
  feast_request_free(req);
  feast_close(remote);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  declared(argv[1]);
  feast_response_t *resp = answer(argv[1]);
  a_column_without_a_value(resp);
  numbers(resp);
  mistakes(resp);
  feast_response_free(resp);
  return 0;
}
