/* A program that knows nothing of Feast: it loads a plugin, asks it for scores from two threads at once, and unloads it.
 *   host ./feast_scorer.so http://localhost:6566 */
#include "scorer.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static scorer_t scorer;

typedef struct {
  int64_t id;
  int result;
  double score;
  char message[512];
} question_t;

static void *ask(void *argument) {
  question_t *question = argument;
  question->result = scorer.score(scorer.state, question->id, &question->score, question->message, sizeof question->message);
  return NULL;
}

int main(int argc, char **argv) {
  char message[512];
  scorer_create_t create;
  if (argc != 3) {
    fprintf(stderr, "usage: %s PLUGIN SETTINGS\n", argv[0]);
    return 2;
  }
  void *plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  void *symbol = plugin == NULL ? NULL : dlsym(plugin, "scorer_create");
  if (symbol == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  memcpy(&create, &symbol, sizeof create); /* ISO C has no cast from an object's pointer to a function's */
  if (create(argv[2], &scorer, message, sizeof message) != 0) {
    fprintf(stderr, "%s\n", message);
    return 1;
  }
  question_t questions[] = {{.id = 1001}, {.id = 9999}};
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, ask, &questions[i]);
  for (int i = 0; i < 2; i++) {
    pthread_join(threads[i], NULL);
    if (questions[i].result == 0)
      printf("%lld: %.6f\n", (long long)questions[i].id, questions[i].score);
    else
      printf("%lld: %s\n", (long long)questions[i].id, questions[i].message);
  }
  scorer.destroy(scorer.state);
  return dlclose(plugin) == 0 ? 0 : 1;
}
