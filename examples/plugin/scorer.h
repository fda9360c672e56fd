/* What the host asks of a plugin: a constructor by name, and a table of functions. */
#ifndef SCORER_H
#define SCORER_H

#include <stdint.h>

typedef struct {
  void *state;
  /* 0 and a score, or -1 and a message of at most `size` bytes. Any number of threads may call it. */
  int (*score)(void *state, int64_t id, double *score, char *message, int size);
  void (*destroy)(void *state);
} scorer_t;

/* Exported as "scorer_create"; 0, or -1 and a message. */
typedef int (*scorer_create_t)(const char *settings, scorer_t *scorer, char *message, int size);

#endif
