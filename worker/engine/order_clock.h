/*
 * order_clock.h - the times of commands: a later command has a later time, to the microsecond
 *
 * Rows that get the time of their command are listed by it, and thousands of commands share a
 * millisecond of the wall clock. One clock serves all executors, so a lane's batches follow each other
 * whichever executor runs them.
 *
 * Threads: any.
 */
#ifndef WORKER_ENGINE_ORDER_CLOCK_H
#define WORKER_ENGINE_ORDER_CLOCK_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "schemas/base/clock.h"

/* How far the clock runs ahead of a wall clock that somebody set back. Beyond it, it follows: new rows
 * would else carry a wrong time for as long. */
#define ORDER_CLOCK_AHEAD_US INT64_C(60000000)

/* All zero is a valid clock. */
struct order_clock {
	_Atomic int64_t next_us;
};

/* Takes `count` successive microseconds since the epoch and returns the first. `wall_us` is what the
 * wall clock shows. */
static inline int64_t order_clock_take(struct order_clock *clock, int64_t wall_us, size_t count)
{
	int64_t next = atomic_load(&clock->next_us), first;

	do {
		first = wall_us < next && next - wall_us <= ORDER_CLOCK_AHEAD_US ? next : wall_us;
	} while (!atomic_compare_exchange_weak(&clock->next_us, &next, first + (int64_t)count));
	return first;
}

#endif
