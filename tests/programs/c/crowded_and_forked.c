/* Calls work in a process with more than 1024 files open, and after fork in the child, which leaves the parent's
 * connections alone whether it calls, closes the store, or just exits.
 * usage: crowded_and_forked URL */
#include "check.h"
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void one_call(feast_remote_t *remote) {
  const int64_t id = 5;
  feast_request_t *req = ask(&id, 1);
  feast_response_t *resp = NULL;
  CHECK_OK(feast_get_online_features(remote, req, &resp, &err));
  CHECK(feast_response_column_int64(resp, 1)[0] == 5000);
  feast_response_free(resp);
  feast_request_free(req);
}

/* The parent's store works, on connections of the child's; closing it leaves the parent's alone. */
static void in_the_child(feast_remote_t *of_the_parent, int i) {
  const int64_t id = 5;
  feast_request_t *req = ask(&id, 1);
  feast_response_t *resp = NULL;
  if (i % 4 != 2) one_call(of_the_parent);
  if (i % 4 == 1) return;
  feast_close(of_the_parent);
  CHECK_FAILS(feast_get_online_features(of_the_parent, req, &resp, &err), FEAST_CLOSED, "closed");
  feast_close(of_the_parent);
  feast_request_free(req);
}

int main(int argc, char **argv) {
  struct rlimit files = {1200, 1200};
  CHECK(argc == 2);
  getrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < 1200) files.rlim_cur = files.rlim_max < 1200 ? files.rlim_max : 1200;
  CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
  int last = 0;
  while (last < 1100) CHECK((last = open("/dev/null", O_RDONLY)) >= 0);

  feast_remote_t *remote = open_at(argv[1]);
  one_call(remote);
  for (int i = 0; i < 20; i++) {
    int status = 0;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      if (i % 4 != 3) in_the_child(remote, i);
      _exit(0);
    }
    one_call(remote);
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    one_call(remote);
  }
  feast_close(remote);
  for (int fd = last; fd > 2; fd--) close(fd);
  return 0;
}
