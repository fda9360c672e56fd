/* A plugin that scores drivers by an online feature. Link it with -lfeast_remote; the host needs nothing, and the library
 * stays loaded when the host unloads the plugin. */
#include "scorer.h"
#include <feast_remote.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
  feast_remote_t *remote;
  feast_request_t *request; /* without the entity: each call clones it */
} feast_scorer_t;

/* Writes the error's message and frees it. */
static int failed(feast_error_t *err, char *message, int size) {
  snprintf(message, (size_t)size, "%s: %s", feast_status_name(feast_error_code(err)), feast_error_message(err));
  feast_error_free(err);
  return -1;
}

static int score(void *state, int64_t id, double *score, char *message, int size) {
  const feast_scorer_t *scorer = state;
  feast_response_t *response = NULL;
  feast_error_t *err = NULL;
  int result = 0;
  feast_request_t *request = feast_request_clone(scorer->request);
  if (feast_request_set_entity_int64(request, "driver_id", &id, 1, &err) != FEAST_OK ||
      feast_get_online_features(scorer->remote, request, &response, &err) != FEAST_OK) {
    result = failed(err, message, size);
  } else {
    size_t column = feast_response_find_column(response, "conv_rate");
    const double *rates = feast_response_column_double(response, column);
    const uint8_t *validity = feast_response_column_validity(response, column);
    if (rates == NULL || feast_response_num_rows(response) != 1 || (validity != NULL && (validity[0] & 1) == 0)) {
      snprintf(message, (size_t)size, "no such driver");
      result = -1;
    } else {
      *score = rates[0];
    }
  }
  feast_response_free(response);
  feast_request_free(request);
  return result;
}

static void destroy(void *state) {
  feast_scorer_t *scorer = state;
  feast_close(scorer->remote);
  feast_request_free(scorer->request);
  free(scorer);
}

/* The only symbol of the plugin. */
__attribute__((visibility("default"))) int scorer_create(const char *settings, scorer_t *scorer, char *message, int size) {
  feast_error_t *err = NULL;
  feast_scorer_t *state = calloc(1, sizeof *state);
  if (state == NULL) {
    snprintf(message, (size_t)size, "no memory");
    return -1;
  }
  feast_config_t *config = feast_config_new();
  state->request = feast_request_new();
  *scorer = (scorer_t){state, score, destroy};
  /* Declared, so that the column is of doubles whatever the server has. */
  if (feast_config_set(config, "path", settings, &err) != FEAST_OK ||
      feast_request_add_typed_feature(state->request, "driver_hourly_stats:conv_rate", FEAST_TYPE_DOUBLE, &err) != FEAST_OK ||
      feast_remote_open(config, &state->remote, &err) != FEAST_OK) {
    feast_config_free(config);
    destroy(state);
    return failed(err, message, size);
  }
  feast_config_free(config);
  return 0;
}
