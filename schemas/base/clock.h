/*
 * clock.h - the wall clock and the monotonic clock
 *
 * Threads: any.
 */
#ifndef SCHEMAS_BASE_CLOCK_H
#define SCHEMAS_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Microseconds since 1970-01-01T00:00:00Z. */
static inline int64_t clock_now_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* Milliseconds since 1970-01-01T00:00:00Z. */
static inline int64_t clock_now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Milliseconds of a clock that never goes back. Only differences have a meaning. */
static inline int64_t clock_tick_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* The same clock in seconds. */
static inline double clock_tick_seconds(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

#endif
