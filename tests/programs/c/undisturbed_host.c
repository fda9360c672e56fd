/* What belongs to the process is as it was: signal handlers and mask, locale, environment, working directory, umask, the
 * standard streams and their buffers, floating-point mode, limits; and the host's timer, which interrupts system calls ten
 * thousand times a second, causes no error.
 * usage: undisturbed_host URL CALLS */
#define _GNU_SOURCE
#include "check.h"
#include <fenv.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

extern char **environ;

typedef struct {
  struct sigaction handlers[65];
  sigset_t mask;
  char locale[256], directory[4096];
  size_t variables, environment_hash;
  mode_t umask;
  int stream_flags[3], rounding, exceptions, dumpable, death_signal;
  struct rlimit limits[RLIM_NLIMITS];
  char name[17];
} state_t;

static state_t look(void) {
  state_t state;
  memset(&state, 0, sizeof state);
  for (int signal = 1; signal < 65; signal++) sigaction(signal, NULL, &state.handlers[signal]);
  pthread_sigmask(SIG_SETMASK, NULL, &state.mask);
  snprintf(state.locale, sizeof state.locale, "%s", setlocale(LC_ALL, NULL));
  CHECK(getcwd(state.directory, sizeof state.directory) != NULL);
  for (char **variable = environ; *variable != NULL; variable++) {
    state.variables++;
    for (const char *byte = *variable; *byte; byte++) state.environment_hash = state.environment_hash * 31 + (unsigned char)*byte;
  }
  state.umask = umask(0);
  umask(state.umask);
  for (int stream = 0; stream < 3; stream++) state.stream_flags[stream] = fcntl(stream, F_GETFL);
  state.rounding = fegetround();
  state.exceptions = fetestexcept(FE_DIVBYZERO | FE_OVERFLOW);
  state.dumpable = prctl(PR_GET_DUMPABLE);
  prctl(PR_GET_PDEATHSIG, &state.death_signal);
  for (int limit = 0; limit < RLIM_NLIMITS; limit++) getrlimit((__rlimit_resource_t)limit, &state.limits[limit]);
  prctl(PR_GET_NAME, state.name);
  return state;
}

static volatile sig_atomic_t alarms, pipes;

static void on_alarm(int signal) {
  (void)signal;
  alarms++;
}

static void on_pipe(int signal) {
  (void)signal;
  pipes++;
}

int main(int argc, char **argv) {
  const int64_t ids[] = {1, 2};
  if (argc != 3) return 2;
  /* Handlers without SA_RESTART, so that every system call may end with EINTR, and settings that are not the usual ones. */
  struct sigaction alarm_action = {.sa_handler = on_alarm}, pipe_action = {.sa_handler = on_pipe};
  sigaction(SIGALRM, &alarm_action, NULL);
  sigaction(SIGPIPE, &pipe_action, NULL);
  CHECK(setlocale(LC_ALL, "C.UTF-8") != NULL && chdir("/") == 0);
  umask(027);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &blocked, NULL);
  CHECK(setvbuf(stdout, NULL, _IOFBF, 4096) == 0);
  CHECK(fesetround(FE_UPWARD) == 0);
  CHECK(fputs("in the host's buffer;", stdout) >= 0);
  const state_t before = look();
  const int descriptors = entries("/proc/self/fd");

  feast_remote_t *remote = open_at(argv[1]);
  feast_request_t *req = ask(ids, 2);
  feast_queue_t *queue = NULL;
  feast_response_t *resp = NULL;
  struct itimerval every = {{0, 100}, {0, 100}}, never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &every, NULL);
  CHECK_OK(feast_queue_open(&queue, &err));
  for (int i = 0; i < atoi(argv[2]); i++) {
    if (i % 2 == 0) {
      CHECK_OK(feast_get_online_features(remote, req, &resp, &err));
    } else {
      CHECK_OK(feast_get_online_features_async(remote, req, queue, NULL, NULL, &err));
      feast_event_t *event = feast_queue_poll(queue, -1);
      CHECK(feast_event_status(event) == FEAST_OK);
      resp = feast_event_take_response(event);
      feast_event_free(event);
    }
    /* Read as the nearest doubles, though the host rounds up. */
    const double *values = feast_response_column_double(resp, 1);
    CHECK(feast_response_num_rows(resp) == 2 && values[0] == 0.3 && values[1] == 1e23);
    feast_response_free(resp);
  }
  feast_queue_free(queue);
  feast_close(remote);
  feast_request_free(req);
  setitimer(ITIMER_REAL, &never, NULL);
  CHECK(alarms > 100 && pipes == 0);
  CHECK(entries_become("/proc/self/fd", descriptors));

  const state_t after = look();
  for (int signal = 1; signal < 65; signal++)
    CHECK(before.handlers[signal].sa_handler == after.handlers[signal].sa_handler &&
          before.handlers[signal].sa_flags == after.handlers[signal].sa_flags);
  for (int signal = 1; signal < 65; signal++) CHECK(sigismember(&before.mask, signal) == sigismember(&after.mask, signal));
  CHECK(strcmp(before.locale, after.locale) == 0 && strcmp(before.directory, after.directory) == 0);
  CHECK(before.variables == after.variables && before.environment_hash == after.environment_hash);
  CHECK(before.umask == after.umask && memcmp(before.stream_flags, after.stream_flags, sizeof before.stream_flags) == 0);
  CHECK(before.rounding == after.rounding && before.exceptions == after.exceptions);
  CHECK(before.dumpable == after.dumpable && before.death_signal == after.death_signal);
  CHECK(memcmp(before.limits, after.limits, sizeof before.limits) == 0 && strcmp(before.name, after.name) == 0);
  printf(" and nothing else\n");
  return 0;
}
