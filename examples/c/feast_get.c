/* feast_get: online features on the command line.
 *
 *   feast_get --path URL --feature view:feature ... --entity name=1001,1002 [options]; see usage() below.
 *
 * Shows how a program reads any answer without knowing its types beforehand. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime, fmemopen */
#include <feast_remote.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum format { TABLE, JSON, CSV };

static int usage(void) {
  fputs("usage: feast_get --feature VIEW:FEATURE ... --entity NAME=VALUE,VALUE,... [options]\n"
        "  --config FILE          a feature_store.yaml with an online store of type remote\n"
        "  --path URL             the feature server (default http://localhost:6566)\n"
        "  --feature VIEW:FEATURE a feature; may be given more than once\n"
        "  --service NAME         a feature service instead of features\n"
        "  --entity NAME=VALUES   a join key and its values, or NAME=[JSON array]; may be given more than once\n"
        "  --full-names           name columns view__feature\n"
        "  --set KEY=VALUE        any key of CONFIGURATION.md\n"
        "  --calls N              make the same call N times and say what each took\n"
        "  --format table|json|csv\n",
        stderr);
  return 2;
}

static void log_to_stderr(int32_t level, const char *message, void *user_data) {
  (void)level, (void)user_data;
  fprintf(stderr, "feast_get: warning: %s\n", message);
}

static int failed(feast_error_t *err) {
  fprintf(stderr, "feast_get: %s: %s\n", feast_status_name(feast_error_code(err)), feast_error_message(err));
  feast_error_free(err);
  return 1;
}

/* ---- the question ---- */

/* Splits "a,b,c" in place; returns the number of parts. */
static size_t split(char *text, const char ***parts) {
  size_t n = 1;
  for (const char *p = text; *p; p++) n += *p == ',';
  const char **found = malloc(n * sizeof *found);
  if (found == NULL) return 0;
  n = 0;
  for (char *part = text, *comma; part != NULL; part = comma) {
    comma = strchr(part, ',');
    if (comma != NULL) *comma++ = '\0';
    found[n++] = part;
  }
  *parts = found;
  return n;
}

static int all_integers(const char *const *values, size_t n, int64_t *out) {
  for (size_t i = 0; i < n; i++) {
    char *end;
    out[i] = strtoll(values[i], &end, 10);
    if (end == values[i] || *end != '\0') return 0;
  }
  return 1;
}

/* NAME=VALUES: integers if all of them are, else strings; a JSON array as it stands. */
static feast_status_t add_entity(feast_request_t *req, const char *argument, feast_error_t **err) {
  char *name = malloc(strlen(argument) + 1);
  if (name == NULL) return FEAST_INTERNAL;
  strcpy(name, argument);
  char *text = strchr(name, '=');
  feast_status_t status;
  if (text == NULL) {
    status = feast_request_set_entity_json(req, name, "", err);
  } else {
    *text++ = '\0';
    if (*text == '[') {
      status = feast_request_set_entity_json(req, name, text, err);
    } else {
      const char **values = NULL;
      size_t n = split(text, &values);
      int64_t *integers = malloc((n + 1) * sizeof *integers);
      if (integers != NULL && all_integers(values, n, integers))
        status = feast_request_set_entity_int64(req, name, integers, n, err);
      else
        status = feast_request_set_entity_string(req, name, values, NULL, n, err);
      free(integers);
      free(values);
    }
  }
  free(name);
  return status;
}

/* ---- the answer ---- */

static int is_null(const feast_response_t *resp, size_t column, size_t row) {
  const uint8_t *validity = feast_response_column_validity(resp, column);
  return feast_response_column_type(resp, column) == FEAST_TYPE_NULL ||
         (validity != NULL && (validity[row / 8] >> (row % 8) & 1) == 0);
}

static void quoted(FILE *out, const char *text, size_t length, enum format format) {
  putc('"', out);
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    if (format == CSV && c == '"')
      fputs("\"\"", out);
    else if (format == JSON && (c == '"' || c == '\\'))
      fprintf(out, "\\%c", c);
    else if (format == JSON && c < 0x20)
      fprintf(out, "\\u%04x", c);
    else
      putc(c, out);
  }
  putc('"', out);
}

static void print_text(FILE *out, const char *text, size_t length, int is_json, enum format format) {
  if (format == TABLE || (format == JSON && is_json))
    fwrite(text, 1, length, out);
  else
    quoted(out, text, length, format);
}

/* Lists are printed as JSON; in CSV that would need quotes around it, so there it goes to a string first. */
static void print_list(FILE *out, const feast_response_t *resp, size_t column, size_t row) {
  const int64_t *offsets = NULL;
  const void *items = NULL;
  if (feast_response_column_list(resp, column, &offsets, &items, NULL) != FEAST_OK) return;
  const uint8_t *validity = feast_response_column_list_validity(resp, column);
  const char *data = feast_response_column_list_data(resp, column);
  const feast_type_t type = feast_response_column_type(resp, column);
  putc('[', out);
  for (int64_t i = offsets[row]; i < offsets[row + 1]; i++) {
    if (i > offsets[row]) putc(',', out);
    const int64_t *ends = items;
    if (items == NULL || (validity != NULL && (validity[i / 8] >> (i % 8) & 1) == 0))
      fputs("null", out);
    else if (type == FEAST_TYPE_INT64_LIST)
      fprintf(out, "%" PRId64, ((const int64_t *)items)[i]);
    else if (type == FEAST_TYPE_DOUBLE_LIST)
      fprintf(out, "%.17g", ((const double *)items)[i]);
    else if (type == FEAST_TYPE_BOOL_LIST)
      fputs(((const uint8_t *)items)[i] ? "true" : "false", out);
    else
      quoted(out, data + ends[i], (size_t)(ends[i + 1] - ends[i]), JSON);
  }
  putc(']', out);
}

static void print_value(FILE *out, const feast_response_t *resp, size_t column, size_t row, enum format format) {
  if (is_null(resp, column, row)) {
    const uint8_t *statuses = feast_response_column_statuses(resp, column);
    if (format == TABLE)
      fputs(statuses[row] == FEAST_FIELD_STATUS_NOT_FOUND ? "(not found)" : "(null)", out);
    else if (format == JSON)
      fputs("null", out);
    return;
  }
  const feast_type_t type = feast_response_column_type(resp, column);
  const int64_t *offsets = NULL;
  const char *data = NULL;
  if (type == FEAST_TYPE_INT64) {
    fprintf(out, "%" PRId64, feast_response_column_int64(resp, column)[row]);
  } else if (type == FEAST_TYPE_DOUBLE) {
    fprintf(out, "%.17g", feast_response_column_double(resp, column)[row]);
  } else if (type == FEAST_TYPE_BOOL) {
    fputs(feast_response_column_bool(resp, column)[row] ? "true" : "false", out);
  } else if (feast_response_column_string(resp, column, &offsets, &data, NULL) == FEAST_OK) {
    size_t length = (size_t)(offsets[row + 1] - offsets[row]);
    print_text(out, data + offsets[row], length, type == FEAST_TYPE_JSON, format);
  } else if (format == CSV) {
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    if (memory == NULL) return;
    print_list(memory, resp, column, row);
    fclose(memory);
    quoted(out, text, length, CSV);
    free(text);
  } else {
    print_list(out, resp, column, row);
  }
}

static void print_json(const feast_response_t *resp) {
  for (size_t row = 0; row < feast_response_num_rows(resp); row++) {
    for (size_t column = 0; column < feast_response_num_columns(resp); column++) {
      const char *name = feast_response_column_name(resp, column);
      fputs(column == 0 ? "{" : ",", stdout);
      quoted(stdout, name, strlen(name), JSON);
      putchar(':');
      print_value(stdout, resp, column, row, JSON);
    }
    puts("}");
  }
}

static void print_csv(const feast_response_t *resp) {
  for (size_t column = 0; column < feast_response_num_columns(resp); column++) {
    const char *name = feast_response_column_name(resp, column);
    if (column > 0) putchar(',');
    quoted(stdout, name, strlen(name), CSV);
  }
  putchar('\n');
  for (size_t row = 0; row < feast_response_num_rows(resp); row++) {
    for (size_t column = 0; column < feast_response_num_columns(resp); column++) {
      if (column > 0) putchar(',');
      print_value(stdout, resp, column, row, CSV);
    }
    putchar('\n');
  }
}

/* Characters on the screen, near enough: bytes that do not continue a UTF-8 sequence. */
static int width_of(const char *text) {
  int width = 0;
  for (; *text; text++) width += ((unsigned char)*text & 0xC0) != 0x80;
  return width;
}

static void print_table(const feast_response_t *resp) {
  size_t rows = feast_response_num_rows(resp), columns = feast_response_num_columns(resp);
  char(*cells)[64] = calloc((rows + 1) * columns + 1, sizeof *cells);
  if (cells == NULL) return;
  for (size_t column = 0; column < columns; column++) {
    int width = 0;
    for (size_t row = 0; row <= rows; row++) {
      char *cell = cells[row * columns + column];
      FILE *out = fmemopen(cell, sizeof cells[0], "w");
      if (out == NULL) continue;
      if (row == 0)
        fputs(feast_response_column_name(resp, column), out);
      else
        print_value(out, resp, column, row - 1, TABLE);
      fclose(out);
      cell[sizeof cells[0] - 1] = '\0';
      if (strlen(cell) + 1 == sizeof cells[0]) memcpy(cell + sizeof cells[0] - 4, "...", 3); /* cut */
      if (width_of(cell) > width) width = width_of(cell);
    }
    for (size_t row = 0; row <= rows; row++) {
      char *cell = cells[row * columns + column];
      size_t length = strlen(cell);
      for (int pad = width - width_of(cell); column + 1 < columns && pad > 0 && length + 1 < sizeof cells[0]; pad--)
        cell[length++] = ' ';
    }
  }
  for (size_t row = 0; row <= rows; row++)
    for (size_t column = 0; column < columns; column++)
      printf("%s%s", cells[row * columns + column], column + 1 < columns ? "  " : "\n");
  free(cells);
}

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int fetch(feast_remote_t *remote, const feast_request_t *req, enum format format, long calls) {
  feast_response_t *resp = NULL;
  for (long call = 1; call <= calls; call++) {
    feast_error_t *err = NULL;
    double start = now_ms();
    feast_response_free(resp);
    if (feast_get_online_features(remote, req, &resp, &err) != FEAST_OK) return failed(err);
    if (calls > 1) fprintf(stderr, "call %ld: %.2f ms\n", call, now_ms() - start);
  }
  if (format == JSON) print_json(resp);
  if (format == CSV) print_csv(resp);
  if (format == TABLE) print_table(resp);
  feast_response_free(resp);
  return 0;
}

int main(int argc, char **argv) {
  enum format format = TABLE;
  long calls = 1;
  int result = 0;
  feast_error_t *err = NULL;
  feast_status_t status = FEAST_OK;
  feast_remote_t *remote = NULL;
  feast_config_t *config = feast_config_new();
  feast_request_t *req = feast_request_new();
  feast_set_log_callback(log_to_stderr, NULL, FEAST_LOG_WARNING);

  for (int i = 1; i < argc && status == FEAST_OK && result == 0; i++) {
    const char *option = argv[i];
    if (!strcmp(option, "--full-names")) {
      status = feast_request_set_full_feature_names(req, true, &err);
      continue;
    }
    if (i + 1 == argc) {
      result = usage();
      break;
    }
    char *value = argv[++i];
    if (!strcmp(option, "--config")) status = feast_config_load_yaml(config, value, &err);
    else if (!strcmp(option, "--path")) status = feast_config_set(config, "path", value, &err);
    else if (!strcmp(option, "--feature")) status = feast_request_add_feature(req, value, &err);
    else if (!strcmp(option, "--service")) status = feast_request_set_feature_service(req, value, &err);
    else if (!strcmp(option, "--entity")) status = add_entity(req, value, &err);
    else if (!strcmp(option, "--calls") && atol(value) > 0) calls = atol(value);
    else if (!strcmp(option, "--format") && !strcmp(value, "json")) format = JSON;
    else if (!strcmp(option, "--format") && !strcmp(value, "csv")) format = CSV;
    else if (!strcmp(option, "--format") && !strcmp(value, "table")) format = TABLE;
    else if (!strcmp(option, "--set") && strchr(value, '=')) {
      char *equals = strchr(value, '=');
      *equals = '\0';
      status = feast_config_set(config, value, equals + 1, &err);
    } else result = usage();
  }
  if (result == 0) {
    if (status == FEAST_OK) status = feast_remote_open(config, &remote, &err);
    result = status == FEAST_OK ? fetch(remote, req, format, calls) : failed(err);
  }
  feast_close(remote);
  feast_request_free(req);
  feast_config_free(config);
  return result;
}
