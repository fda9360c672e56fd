/* Does what a sanitizer must find, to show that it is at work inside the library: with "leak" it loses a response, with "use"
 * it reads a column of one that was freed.
 * usage: sanitizer_is_on leak|use URL */
#include "check.h"

int main(int argc, char **argv) {
  const int64_t ids[] = {1, 2};
  if (argc != 3) return 2;
  feast_remote_t *remote = open_at(argv[2]);
  feast_request_t *req = ask(ids, 2);
  feast_response_t *resp = NULL;
  CHECK_OK(feast_get_online_features(remote, req, &resp, &err));
  feast_request_free(req);
  feast_close(remote);
  if (strcmp(argv[1], "leak") == 0) {
    resp = NULL;
    return 0;
  }
  feast_response_free(resp);
  /* The read is the library's, of the mark. */
  return (int)feast_response_num_rows(resp);
}
