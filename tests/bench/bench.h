/*
 * bench.h - what every benchmark program needs: options, a clock, percentiles, an end with a message
 *
 * The programs are short-lived and have one user, tests/bench/run: any failure ends them with a
 * message on standard error and status 1. Results are one JSON object on standard output.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

/* Ends the process: "program: message". */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Monotonic, in nanoseconds. */
int64_t now_ns(void);
int64_t wall_ms(void);

/* This process's processor time. */
int64_t cpu_ns(void);

/* The value of option `--name VALUE`. Without it, `fallback`; fallback NULL: the option is needed. */
const char *option(int argc, char **argv, const char *name, const char *fallback);
int64_t option_number(int argc, char **argv, const char *name, int64_t fallback);

/* The environment's variable, which has to be there. */
const char *environment(const char *name);

/* Sorts the samples; percentile p in 0..100 of sorted ones. */
void samples_sort(int64_t *samples, size_t count);
int64_t samples_at(const int64_t *sorted, size_t count, double percentile);

#endif
