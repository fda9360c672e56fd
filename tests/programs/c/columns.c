/* Declared types, lists, matrices, Arrow and DLPack through the C interface. The server's answer stands in
 * tests/columns.rs.
 * usage: columns URL */
#include "check.h"
#include <math.h>

static feast_request_t *request(void) {
  const int64_t ids[] = {1, 2, 3};
  static const struct {
    const char *feature;
    feast_type_t type;
  } features[] = {{"v:flag", FEAST_TYPE_BOOL},        {"v:small", FEAST_TYPE_INT32},
                  {"v:real", FEAST_TYPE_FLOAT},       {"v:blob", FEAST_TYPE_BYTES},
                  {"v:when", FEAST_TYPE_UNIX_TIMESTAMP}, {"v:words", FEAST_TYPE_STRING_LIST},
                  {"v:vector", FEAST_TYPE_FLOAT_LIST}};
  feast_request_t *req = feast_request_new();
  for (size_t i = 0; i < sizeof features / sizeof *features; i++)
    CHECK_OK(feast_request_add_typed_feature(req, features[i].feature, features[i].type, &err));
  CHECK_OK(feast_request_add_feature(req, "v:any", &err));
  CHECK_OK(feast_request_set_entity_int64(req, "id", ids, 3, &err));
  return req;
}

static void typed_columns(const feast_response_t *resp) {
  const int64_t *offsets = NULL;
  const char *data = NULL;
  const void *items = NULL;
  const uint8_t *flags = feast_response_column_bool(resp, 1);
  CHECK(flags && flags[0] == 1 && flags[1] == 0 && flags[2] == 0);
  const int32_t *small = feast_response_column_int32(resp, 2);
  CHECK(small && small[0] == -7 && small[1] == INT32_MAX && small[2] == 0);
  CHECK(feast_response_column_int64(resp, 2) == NULL);
  const float *real = feast_response_column_float(resp, 3);
  CHECK(real && real[0] == 0.1f && isnan(real[1]) && real[2] == 0);
  CHECK_OK(feast_response_column_string(resp, 4, &offsets, &data, &err));
  CHECK(offsets[1] == 3 && memcmp(data, "\0\1\2", 3) == 0 && offsets[3] == 3);
  const int64_t *when = feast_response_column_int64(resp, 5);
  CHECK(when && when[0] == 1700000000 && when[1] == 1700000000 && when[2] == 0);
  CHECK(feast_response_column_type(resp, 5) == FEAST_TYPE_UNIX_TIMESTAMP);

  CHECK(feast_response_column_type(resp, 6) == FEAST_TYPE_STRING_LIST);
  CHECK_OK(feast_response_column_list(resp, 6, &offsets, &items, &err));
  const int64_t *ends = items;
  data = feast_response_column_list_data(resp, 6);
  CHECK(offsets[0] == 0 && offsets[1] == 2 && offsets[2] == 2 && offsets[3] == 2);
  CHECK(ends[1] == 1 && ends[2] == 3 && memcmp(data, "abc", 3) == 0);
  CHECK_FAILS(feast_response_column_string(resp, 6, &offsets, &data, &err), FEAST_TYPE, "STRING_LIST, not STRING");
  CHECK(offsets == NULL && data == NULL);

  CHECK_OK(feast_response_column_list(resp, 7, &offsets, &items, &err));
  const float *vector = items;
  CHECK(offsets[1] == 2 && offsets[2] == 4 && offsets[3] == 4);
  CHECK(vector[0] == 1 && vector[1] == 2.5f && vector[2] == 0 && vector[3] == 4);
  CHECK(feast_response_column_list_validity(resp, 7)[0] == 0xb); /* 0b1011 */
  CHECK(feast_response_column_list_validity(resp, 6) == NULL);
  CHECK(feast_response_column_float(resp, 7) == NULL && feast_response_column_list_data(resp, 7) == NULL);
  CHECK_FAILS(feast_response_column_list(resp, 1, &offsets, &items, &err), FEAST_TYPE, "BOOL, not a type of lists");
  CHECK_FAILS(feast_response_column_list(resp, 99, &offsets, &items, &err), FEAST_INVALID_ARGUMENT, "no column 99");
}

static void matrices(const feast_response_t *resp) {
  const char *names[] = {"vector", "small", "flag"};
  float out[3 * 6];
  uint8_t statuses[3 * 6];
  for (int i = 0; i < 18; i++) out[i] = -77, statuses[i] = 99;
  CHECK_OK(feast_response_copy_f32(resp, names, 3, out, 6, -1, statuses, &err));
  const float expected[] = {1, 2.5f, -7, 1, -77, -77, -1, 4, (float)INT32_MAX, 0, -77, -77, -1, -1, -1, -1, -77, -77};
  const uint8_t expected_statuses[] = {1, 1, 1, 1, 99, 99, 1, 1, 1, 1, 99, 99, 3, 3, 3, 2, 99, 99};
  CHECK(memcmp(out, expected, sizeof out) == 0);
  CHECK(memcmp(statuses, expected_statuses, sizeof statuses) == 0);

  double doubles[3];
  const char *when = "when", *any = "any", *nope = "nope", *real = "real";
  CHECK_OK(feast_response_copy_f64(resp, &when, 1, doubles, 1, NAN, NULL, &err));
  CHECK(doubles[0] == 1700000000 && isnan(doubles[2]));
  int64_t integers[3];
  CHECK_OK(feast_response_copy_i64(resp, &when, 1, integers, 1, -5, NULL, &err));
  CHECK(integers[1] == 1700000000 && integers[2] == -5);
  CHECK_FAILS(feast_response_copy_i64(resp, &real, 1, integers, 1, 0, NULL, &err), FEAST_TYPE, "row 0: 0.1 is not");
  CHECK_FAILS(feast_response_copy_f64(resp, &any, 1, doubles, 1, 0, NULL, &err), FEAST_TYPE,
              "column `any`: JSON is no number");
  CHECK_FAILS(feast_response_copy_f32(resp, &nope, 1, out, 1, 0, NULL, &err), FEAST_INVALID_ARGUMENT,
              "no column `nope`");
  CHECK_FAILS(feast_response_copy_f32(resp, names, 3, out, 3, 0, NULL, &err), FEAST_INVALID_ARGUMENT,
              "row_stride is 3, the features take 4 columns");
  CHECK_FAILS(feast_response_copy_f32(resp, NULL, 0, out, 99, 0, NULL, &err), FEAST_TYPE, "column `blob`");
  CHECK_FAILS(feast_response_copy_f32(resp, names, 3, NULL, 6, 0, NULL, &err), FEAST_INVALID_ARGUMENT, "out is NULL");
  CHECK_FAILS(feast_response_copy_f32(resp, names, 3, (float *)((char *)out + 1), 6, 0, NULL, &err),
              FEAST_INVALID_ARGUMENT, "not aligned");
  names[1] = NULL;
  CHECK_FAILS(feast_response_copy_f32(resp, names, 3, out, 6, 0, NULL, &err), FEAST_INVALID_ARGUMENT,
              "names[1] is NULL");
  CHECK_FAILS(feast_response_copy_f32(NULL, NULL, 0, out, 6, 0, NULL, &err), FEAST_INVALID_ARGUMENT, "response is NULL");
  CHECK_OK(feast_response_copy_f32(resp, names, 0, out, 0, 0, NULL, &err)); /* no column at all */
}

static void straight_into_a_matrix(feast_remote_t *remote) {
  const int64_t ids[] = {1, 2, 3};
  float out[3 * 4];
  uint8_t statuses[3 * 4];
  feast_request_t *req = feast_request_new();
  CHECK_OK(feast_request_add_feature(req, "v:vector", &err));
  CHECK_OK(feast_request_add_feature(req, "v:small", &err));
  CHECK_OK(feast_request_set_entity_int64(req, "id", ids, 3, &err));
  for (int i = 0; i < 12; i++) out[i] = -77, statuses[i] = 99;
  CHECK_OK(feast_get_online_features_into_f32(remote, req, out, 4, -1, statuses, &err));
  const float expected[] = {1, 2.5f, -7, -77, -1, 4, (float)INT32_MAX, -77, -1, -1, -1, -77};
  const uint8_t expected_statuses[] = {1, 1, 1, 99, 1, 1, 1, 99, 3, 3, 3, 99};
  CHECK(memcmp(out, expected, sizeof out) == 0);
  CHECK(memcmp(statuses, expected_statuses, sizeof statuses) == 0);
  CHECK_FAILS(feast_get_online_features_into_f32(remote, req, out, 2, -1, NULL, &err), FEAST_INVALID_ARGUMENT,
              "row_stride is 2, the features take 3 columns");
  CHECK_FAILS(feast_get_online_features_into_f32(remote, req, out, 1, -1, NULL, &err), FEAST_INVALID_ARGUMENT,
              "row_stride is 1, the features take 2 columns");
  CHECK_FAILS(feast_get_online_features_into_f32(remote, req, NULL, 4, -1, NULL, &err), FEAST_INVALID_ARGUMENT,
              "out is NULL");
  CHECK_FAILS(feast_get_online_features_into_f32(remote, NULL, out, 4, -1, NULL, &err), FEAST_INVALID_ARGUMENT,
              "request is NULL");
  CHECK_FAILS(feast_get_online_features_into_f32(NULL, req, out, 4, -1, NULL, &err), FEAST_INVALID_ARGUMENT,
              "remote is NULL");
  CHECK_FAILS(feast_get_online_features_into_f32(remote, req, out, SIZE_MAX / 2, -1, NULL, &err),
              FEAST_INVALID_ARGUMENT, "cannot be in memory");
  CHECK_OK(feast_request_add_feature(req, "v:any", &err));
  CHECK_FAILS(feast_get_online_features_into_f32(remote, req, out, 4, -1, NULL, &err), FEAST_TYPE, "feature `v:any`");
  feast_request_free(req);
}

static void fetch_arrow(feast_remote_t *remote, struct ArrowArray *array, struct ArrowSchema *schema) {
  feast_request_t *req = request();
  feast_response_t *resp = NULL;
  CHECK_OK(feast_get_online_features(remote, req, &resp, &err));
  CHECK_OK(feast_response_export_arrow_full(resp, array, schema, &err));
  feast_response_free(resp); /* what was exported outlives it */
  feast_request_free(req);
  CHECK(array->length == 3 && array->n_children == schema->n_children && array->n_children == 1 + 3 * 8);
  CHECK(strcmp(schema->format, "+s") == 0 && strcmp(schema->children[0]->format, "l") == 0);
  CHECK(strcmp(schema->children[2]->name, "flag__status") == 0 && strcmp(schema->children[3]->format, "tsn:UTC") == 0);
  CHECK(schema->children[0]->flags == 0 && schema->children[1]->flags == ARROW_FLAG_NULLABLE);
  const int64_t *ids = array->children[0]->buffers[1];
  CHECK(ids[0] == 1 && ids[2] == 3);
}

/* A consumer may move a child out and release it before or after its parent, and the schema at any time. */
static void arrow(feast_remote_t *remote) {
  for (int order = 0; order < 6; order++) {
    struct ArrowArray array, moved;
    struct ArrowSchema schema, moved_schema;
    fetch_arrow(remote, &array, &schema);
    if (order & 1) schema.release(&schema);
    const int64_t child = order / 2 * 8;
    moved = *array.children[child];
    array.children[child]->release = NULL;
    if (order < 3) {
      array.release(&array);
      CHECK(array.release == NULL);
      CHECK(moved.length == 3 && moved.buffers[1] != NULL);
      moved.release(&moved);
    } else {
      moved.release(&moved);
      array.release(&array);
    }
    if (!(order & 1)) {
      moved_schema = *schema.children[child];
      schema.children[child]->release = NULL;
      schema.release(&schema);
      CHECK(moved_schema.name[0] != 0);
      moved_schema.release(&moved_schema);
    }
  }
  struct ArrowArray array;
  struct ArrowSchema schema;
  memset(&array, 1, sizeof array);
  CHECK_FAILS(feast_response_export_arrow(NULL, &array, &schema, &err), FEAST_INVALID_ARGUMENT, "response is NULL");
  CHECK(array.release == NULL && schema.release == NULL);
  CHECK_FAILS(feast_response_export_arrow(NULL, NULL, &schema, &err), FEAST_INVALID_ARGUMENT, "array is NULL");
  size_t len = 1;
  char *json = (char *)&len;
  CHECK_FAILS(feast_response_to_json(NULL, &json, &len, &err), FEAST_INVALID_ARGUMENT, "response is NULL");
  CHECK(json == NULL && len == 0);
  CHECK_FAILS(feast_response_to_json(NULL, NULL, NULL, &err), FEAST_INVALID_ARGUMENT, "json is NULL");
}

/* dlpack.h, as far as this test looks. */
struct DLManagedTensorVersioned {
  uint32_t major, minor;
  void *manager_ctx;
  void (*deleter)(struct DLManagedTensorVersioned *);
  uint64_t flags;
  float *data;
  int32_t device_type, device_id, ndim;
  uint8_t code, bits;
  uint16_t lanes;
  int64_t *shape, *strides;
  uint64_t byte_offset;
};

static void dlpack(const feast_response_t *resp) {
  const char *names[] = {"small", "vector"}, *any = "any";
  struct DLManagedTensorVersioned *tensor = NULL;
  CHECK_OK(feast_response_to_dlpack(resp, names, 2, -1, &tensor, &err));
  CHECK(tensor->major == 1 && tensor->device_type == 1 && tensor->code == 2 && tensor->bits == 32 && tensor->lanes == 1);
  CHECK(tensor->ndim == 2 && tensor->shape[0] == 3 && tensor->shape[1] == 3);
  CHECK(tensor->strides[0] == 3 && tensor->strides[1] == 1 && tensor->byte_offset == 0);
  CHECK((uintptr_t)tensor->data % 64 == 0 && tensor->data[0] == -7 && tensor->data[8] == -1);
  tensor->deleter(tensor);
  CHECK_FAILS(feast_response_to_dlpack(resp, &any, 1, -1, &tensor, &err), FEAST_TYPE, "JSON is no number");
  CHECK(tensor == NULL);
}

static void bad_declarations(void) {
  feast_request_t *req = feast_request_new();
  const feast_type_t none[] = {FEAST_TYPE_NULL, FEAST_TYPE_NULL_LIST, FEAST_TYPE_INVALID, 10, 25, 1000, INT32_MIN};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++)
    CHECK_FAILS(feast_request_add_typed_feature(req, "v:f", none[i], &err), FEAST_INVALID_ARGUMENT, "no type");
  CHECK_FAILS(feast_request_add_typed_feature(req, "f", FEAST_TYPE_INT32, &err), FEAST_INVALID_ARGUMENT, "view:feature");
  CHECK_FAILS(feast_request_add_typed_feature(NULL, "v:f", FEAST_TYPE_INT32, &err), FEAST_INVALID_ARGUMENT, "NULL");
  CHECK_FAILS(feast_request_add_typed_feature(req, NULL, FEAST_TYPE_INT32, &err), FEAST_INVALID_ARGUMENT, "NULL");
  feast_request_free(req);
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  feast_remote_t *remote = open_at(argv[1]);
  feast_request_t *req = request();
  feast_response_t *resp = NULL;
  bad_declarations();
  CHECK_OK(feast_get_online_features(remote, req, &resp, &err));
  typed_columns(resp);
  matrices(resp);
  straight_into_a_matrix(remote);
  arrow(remote);
  dlpack(resp);
  feast_response_free(resp);
  feast_request_free(req);
  feast_close(remote);
  return 0;
}
