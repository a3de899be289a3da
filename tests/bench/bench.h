/*
 * bench.h - what every benchmark program needs: options, a clock, percentiles, fatal errors
 *
 * Only tests/bench/run starts these short-lived programs. Any failure ends the program with a
 * message on standard error and status 1. The result is one JSON object on standard output.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

/* Prints "program: message" and ends the process with status 1. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Monotonic, in nanoseconds. */
int64_t now_ns(void);
int64_t wall_ms(void);

/* This process's processor time. */
int64_t cpu_ns(void);

/* The value of option `--name VALUE`. Without the option, returns `fallback`; a
 * NULL fallback makes the option mandatory. */
const char *option(int argc, char **argv, const char *name, const char *fallback);
int64_t option_number(int argc, char **argv, const char *name, int64_t fallback);

/* The value of a mandatory environment variable. */
const char *environment(const char *name);

/* samples_sort sorts in place; samples_at reads a percentile, 0 to 100, of sorted samples. */
void samples_sort(int64_t *samples, size_t count);
int64_t samples_at(const int64_t *sorted, size_t count, double percentile);

#endif
