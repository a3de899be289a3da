/* bench.c - options, clock, percentiles and fatal errors of the benchmark programs */
#include "bench.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

_Noreturn void die(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

int64_t wall_ms(void)
{
	return clock_ns(CLOCK_REALTIME) / 1000000;
}

const char *option(int argc, char **argv, const char *name, const char *fallback)
{
	for (int i = 1; i + 1 < argc; i++) {
		if (strncmp(argv[i], "--", 2) == 0 && strcmp(argv[i] + 2, name) == 0)
			return argv[i + 1];
	}
	if (fallback == NULL)
		die("--%s is needed", name);
	return fallback;
}

int64_t option_number(int argc, char **argv, const char *name, int64_t fallback)
{
	const char *text = option(argc, argv, name, "");
	char *end;

	if (*text == '\0')
		return fallback;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0' || value < 0)
		die("--%s: '%s' is no number", name, text);
	return value;
}

const char *environment(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL || *value == '\0')
		die("%s is not set: run by tests/bench/run, or source a stack's env file", name);
	return value;
}

int64_t cpu_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static int compare(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

	return (a > b) - (a < b);
}

void samples_sort(int64_t *samples, size_t count)
{
	qsort(samples, count, sizeof *samples, compare);
}

int64_t samples_at(const int64_t *sorted, size_t count, double percentile)
{
	size_t index = (size_t)((double)count * percentile / 100.0);

	return sorted[index < count ? index : count - 1];
}
