/* The smallest whole program: two features of two drivers, every error checked.
 *   cc minimal.c -lfeast_remote -o minimal && ./minimal http://localhost:6566 */
#include <feast_remote.h>
#include <inttypes.h>
#include <stdio.h>

static int failed(feast_error_t *err) {
  fprintf(stderr, "%s: %s\n", feast_status_name(feast_error_code(err)), feast_error_message(err));
  feast_error_free(err);
  return 1;
}

static int print_rows(const feast_response_t *resp) {
  const int64_t *trips;
  const double *rate;
  const uint8_t *known; /* a bit a row; NULL if every row has a value */
  feast_error_t *err = NULL;
  if (feast_response_get_int64(resp, "avg_daily_trips", &trips, &known, &err) != FEAST_OK ||
      feast_response_get_double(resp, "conv_rate", &rate, NULL, &err) != FEAST_OK)
    return failed(err);
  for (size_t row = 0; row < feast_response_num_rows(resp); row++)
    if (known != NULL && !(known[row / 8] >> (row % 8) & 1))
      printf("not known\n");
    else
      printf("%" PRId64 " trips a day, conversion rate %f\n", trips[row], rate[row]);
  return 0;
}

static int fetch(feast_remote_t *remote) {
  const int64_t drivers[] = {1001, 1002};
  feast_error_t *err = NULL;
  feast_response_t *resp = NULL;
  feast_request_t *req = feast_request_new();
  int result;
  if (feast_request_add_feature(req, "driver_hourly_stats:avg_daily_trips", &err) != FEAST_OK ||
      feast_request_add_feature(req, "driver_hourly_stats:conv_rate", &err) != FEAST_OK ||
      feast_request_set_entity_int64(req, "driver_id", drivers, 2, &err) != FEAST_OK ||
      feast_get_online_features(remote, req, &resp, &err) != FEAST_OK)
    result = failed(err);
  else result = print_rows(resp);
  feast_response_free(resp);
  feast_request_free(req);
  return result;
}

int main(int argc, char **argv) {
  feast_error_t *err = NULL;
  feast_remote_t *remote = NULL;
  feast_config_t *config = feast_config_new();
  int result = 1;
  if ((argc > 1 && feast_config_set(config, "path", argv[1], &err) != FEAST_OK) ||
      feast_remote_open(config, &remote, &err) != FEAST_OK)
    result = failed(err);
  else
    result = fetch(remote);
  feast_close(remote);
  feast_config_free(config);
  return result;
}
