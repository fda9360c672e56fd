/* feast_put: the rows of a CSV file into a Feast server's stores.
 *
 *   feast_put --path URL (--push SOURCE | --view VIEW) [options] FILE; see usage() below.
 *
 * The first line names the columns. A column of integers, of numbers or of true and false is written as that, any other as
 * text; an empty field without quotes is a null. Shows how a frame is made, and what is told when rows could not be written. */
#include <errno.h>
#include <feast_remote.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int usage(void) {
  fputs("usage: feast_put (--push SOURCE | --view VIEW) [options] FILE.csv\n"
        "  --config FILE          a feature_store.yaml with an online store of type remote\n"
        "  --path URL             the feature server (default http://localhost:6566)\n"
        "  --push SOURCE          the push source\n"
        "  --to online|offline|online_and_offline   where a push goes (default online)\n"
        "  --view VIEW            the feature view, instead of a push source\n"
        "  --timestamp-field NAME the column of event timestamps, RFC 3339 with a zone (default event_timestamp)\n"
        "  --created NAME         the column that says when rows were made (default created)\n"
        "  --text NAME            this column is text, whatever it looks like; may be given more than once\n"
        "  --set KEY=VALUE        any key of CONFIGURATION.md\n",
        stderr);
  return 2;
}

static int failed(feast_error_t *err) {
  fprintf(stderr, "feast_put: %s: %s\n", feast_status_name(feast_error_code(err)), feast_error_message(err));
  size_t count = 0, doubtful = 0;
  const uint64_t *rows = feast_error_unwritten_rows(err, &count);
  feast_error_doubtful_rows(err, &doubtful);
  if (count > 0)
    fprintf(stderr, "feast_put: %" PRIu64 " rows were written, %zu not (%zu in doubt), the first of them on line %" PRIu64 "\n",
            feast_error_rows_written(err), count, doubtful, rows[0] + 2);
  feast_error_free(err);
  return 1;
}

/* ---- the file ---- */

typedef struct {
  char *text;      /* all fields, each NUL-terminated; NULL in fields for a null */
  char **fields;   /* the names, then row by row */
  size_t columns, rows;
} table_t;

static void free_table(table_t *table) {
  free(table->text);
  free(table->fields);
}

static int complain(const char *what, size_t line) {
  fprintf(stderr, "feast_put: line %zu: %s\n", line, what);
  return 0;
}

static char *read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  char *text = NULL;
  size_t size = 0, room = 0, got = 1;
  while (file != NULL && got > 0) {
    if (size + 1 >= room) {
      room = room == 0 ? 1 << 16 : 2 * room;
      char *larger = realloc(text, room);
      if (larger == NULL) break;
      text = larger;
    }
    got = fread(text + size, 1, room - size - 1, file);
    size += got;
  }
  if (file == NULL || ferror(file) || got > 0 || (size > 0 && memchr(text, '\0', size) != NULL)) {
    fprintf(stderr, "feast_put: %s: %s\n", path, file == NULL || ferror(file) ? strerror(errno) : "too large, or has a NUL");
    free(text);
    text = NULL;
  } else {
    text[size] = '\0';
  }
  if (file != NULL) fclose(file);
  return text;
}

/* Cuts the text in place (RFC 4180): quotes are undone, so that fields only become shorter. */
static int parse(table_t *table) {
  size_t room = 0, count = 0, in_line = 0, line = 1;
  char *from = table->text, *to = table->text;
  while (*from != '\0') {
    if (count == room) {
      room = room == 0 ? 1024 : 2 * room;
      char **larger = realloc(table->fields, room * sizeof *larger);
      if (larger == NULL) return complain("out of memory", line);
      table->fields = larger;
    }
    const int quoted = *from == '"';
    char *field = to;
    if (quoted) {
      for (from++; *from != '"' || from[1] == '"'; from++) {
        if (*from == '\0') return complain("a quote is missing", line);
        if (*from == '"') from++;
        *to++ = *from;
      }
      from++;
    } else {
      while (*from != '\0' && *from != ',' && *from != '\n' && !(*from == '\r' && from[1] == '\n')) *to++ = *from++;
    }
    table->fields[count++] = !quoted && to == field ? NULL : field;
    in_line++;
    const int comma = *from == ',', end = *from == '\0';
    if (*from == '\r') from++;
    if (!comma && !end && *from != '\n') return complain("text behind a quote", line);
    if (!end) from++;
    *to++ = '\0'; /* never behind `from`: a separator was read, or the text is at its end */
    if (comma && *from != '\0') continue;
    if (table->columns == 0) table->columns = in_line;
    if (in_line != table->columns) return complain("another number of fields than the first line has", line);
    in_line = 0;
    line++;
  }
  if (count == 0) return complain("no names of columns", 1);
  table->rows = count / table->columns - 1;
  for (size_t column = 0; column < table->columns; column++)
    if (table->fields[column] == NULL) return complain("a column has no name", 1);
  return 1;
}

/* ---- the frame ---- */

static const char *field(const table_t *table, size_t row, size_t column) {
  return table->fields[(row + 1) * table->columns + column];
}

/* What every field of a column is, or null. */
static int all_integers(const table_t *table, size_t column, int64_t *out) {
  for (size_t row = 0; row < table->rows; row++) {
    const char *text = field(table, row, column);
    char *end = NULL;
    errno = 0;
    out[row] = text == NULL ? 0 : strtoll(text, &end, 10);
    if (text != NULL && (end == text || *end != '\0' || errno != 0)) return 0;
  }
  return 1;
}

static int all_numbers(const table_t *table, size_t column, double *out) {
  for (size_t row = 0; row < table->rows; row++) {
    const char *text = field(table, row, column);
    char *end = NULL;
    out[row] = text == NULL ? 0 : strtod(text, &end);
    if (text != NULL && (end == text || *end != '\0')) return 0;
  }
  return 1;
}

static int all_flags(const table_t *table, size_t column, bool *out) {
  for (size_t row = 0; row < table->rows; row++) {
    const char *text = field(table, row, column);
    out[row] = text != NULL && strcmp(text, "true") == 0;
    if (text != NULL && !out[row] && strcmp(text, "false") != 0) return 0;
  }
  return 1;
}

static feast_status_t add_column(feast_frame_t *frame, const table_t *table, size_t column, int as_text, feast_error_t **err) {
  const char *name = table->fields[column];
  const size_t n = table->rows;
  uint8_t *validity = calloc(n / 8 + 1, 1);
  void *values = malloc((n + 1) * sizeof(const char *) + (n + 1) * sizeof(double));
  feast_status_t status = FEAST_INTERNAL;
  int any = 0;
  for (size_t row = 0; validity != NULL && row < n; row++)
    if (field(table, row, column) != NULL) {
      validity[row / 8] |= (uint8_t)(1 << row % 8);
      any = 1;
    }
  if (validity != NULL && values != NULL) {
    if (!as_text && any && all_integers(table, column, values))
      status = feast_frame_set_int64(frame, name, values, validity, n, err);
    else if (!as_text && any && all_numbers(table, column, values))
      status = feast_frame_set_double(frame, name, values, validity, n, err);
    else if (!as_text && any && all_flags(table, column, values))
      status = feast_frame_set_bool(frame, name, values, validity, n, err);
    else {
      const char **texts = values;
      for (size_t row = 0; row < n; row++) texts[row] = field(table, row, column);
      status = feast_frame_set_string(frame, name, texts, NULL, n, err);
    }
  }
  free(values);
  free(validity);
  return status;
}

/* ---- the command line ---- */

int main(int argc, char **argv) {
  feast_config_t *config = feast_config_new();
  feast_write_options_t *options = feast_write_options_new();
  feast_frame_t *frame = feast_frame_new();
  feast_remote_t *remote = NULL;
  feast_write_t *written = NULL;
  feast_error_t *err = NULL;
  table_t table = {0};
  feast_push_to_t to = FEAST_PUSH_ONLINE;
  const char *source = NULL, *view = NULL, *file = NULL;
  const char **texts = calloc((size_t)argc, sizeof *texts);
  size_t n_texts = 0;
  int result = 1;
  for (int i = 1; i < argc && err == NULL; i++) {
    const char *value = i + 1 < argc ? argv[i + 1] : NULL;
    if (strncmp(argv[i], "--", 2) != 0 && file == NULL) {
      file = argv[i];
      continue;
    }
    if (value == NULL) return usage();
    if (strcmp(argv[i], "--push") == 0)
      source = value;
    else if (strcmp(argv[i], "--view") == 0)
      view = value;
    else if (strcmp(argv[i], "--text") == 0)
      texts[n_texts++] = value;
    else if (strcmp(argv[i], "--to") == 0 && strcmp(value, "online") == 0)
      to = FEAST_PUSH_ONLINE;
    else if (strcmp(argv[i], "--to") == 0 && strcmp(value, "offline") == 0)
      to = FEAST_PUSH_OFFLINE;
    else if (strcmp(argv[i], "--to") == 0 && strcmp(value, "online_and_offline") == 0)
      to = FEAST_PUSH_ONLINE | FEAST_PUSH_OFFLINE;
    else if (strcmp(argv[i], "--config") == 0)
      feast_config_load_yaml(config, value, &err);
    else if (strcmp(argv[i], "--path") == 0)
      feast_config_set(config, "path", value, &err);
    else if (strcmp(argv[i], "--timestamp-field") == 0)
      feast_write_options_set_timestamp_field(options, value, &err);
    else if (strcmp(argv[i], "--created") == 0)
      feast_write_options_set_created_timestamp_column(options, value, &err);
    else if (strcmp(argv[i], "--set") == 0 && strchr(value, '=') != NULL) {
      char *key = argv[i + 1], *equals = strchr(key, '=');
      *equals = '\0';
      feast_config_set(config, key, equals + 1, &err);
    } else
      return usage();
    i++;
  }
  if (err == NULL && (file == NULL || (source == NULL) == (view == NULL))) return usage();
  if (err == NULL && (table.text = read_file(file)) != NULL && parse(&table)) {
    for (size_t column = 0; column < table.columns && err == NULL; column++) {
      int as_text = 0;
      for (size_t i = 0; i < n_texts; i++) as_text |= strcmp(texts[i], table.fields[column]) == 0;
      add_column(frame, &table, column, as_text, &err);
    }
    if (err == NULL && feast_remote_open(config, &remote, &err) == FEAST_OK &&
        (source != NULL ? feast_push(remote, source, frame, to, options, &written, &err)
                        : feast_write_to_online_store(remote, view, frame, options, &written, &err)) == FEAST_OK) {
      printf("%" PRIu64 " rows in %" PRIu64 " requests%s\n", feast_write_rows_written(written), feast_write_requests(written),
             feast_write_is_queued(written) ? ", some of them queued by the server" : "");
      result = 0;
    }
  }
  if (err != NULL) result = failed(err);
  feast_write_free(written);
  feast_close(remote);
  feast_frame_free(frame);
  feast_write_options_free(options);
  feast_config_free(config);
  free_table(&table);
  free(texts);
  return result;
}
