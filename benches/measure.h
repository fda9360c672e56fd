/* What the bench clients share: clocks, and the line they print. */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static inline double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Seconds of CPU that this process has used. */
static inline double cpu(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1e-6;
}

static inline int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Sorts the latencies. */
static inline void report(const char *name, int threads, int calls, double *latencies, double seconds, double cpu_seconds,
                   int errors) {
  qsort(latencies, (size_t)calls, sizeof *latencies, ascending);
  printf("%s conc=%d n=%d rps=%.0f p50=%.0fus p99=%.0fus max=%.0fus cpu/req=%.1fus errors=%d\n", name, threads, calls,
         calls / seconds, latencies[calls / 2] * 1e6, latencies[(int)(calls * .99)] * 1e6, latencies[calls - 1] * 1e6,
         cpu_seconds / calls * 1e6, errors);
}

#endif
