/*
 * state.h - inside of lanes*.c and their unit test; nobody else's
 *
 * All of it with the lock held.
 */
#ifndef WORKER_LANES_STATE_H
#define WORKER_LANES_STATE_H

#include <pthread.h>

#include "worker/lanes/detached_limit.h"
#include "worker/lanes/lanes.h"

struct lanes {
	struct lanes_limits limits;
	struct metrics *metrics;
	pthread_mutex_t mutex;
	struct waiter *waiting; /* executors, the last to come on top */
	pthread_cond_t settled; /* a revoke waits */
	size_t large_batches;   /* large ones under way */
	size_t small_lanes;     /* lanes in light batches under way */
	int64_t small_since;    /* clock_tick_ms when the last of those was begun */
	size_t small_commands;  /* what waited for it */
	int64_t awaited_until;  /* clock_tick_ms; see lanes_awaited */
	int watchers;           /* executors that wait for the end of that time */
	struct detached_read *detached, **detached_end; /* that wait */
	size_t detached_count;
	size_t detached_burst;                /* their most at once since there was none */
	struct detached_read *detached_begun; /* that are under way */
	struct detached_limit detached_limit;
	int wake_fd;
	bool quitting;
	bool waits_for_room; /* see lanes_wait_for_room */
	size_t bytes;
	struct lane **list;
	size_t count, size;
	size_t turn; /* where the search for work starts: every lane gets its turn */
	size_t led;  /* batches given */
};

/* Wakes the executor that came to wait last; all of them. */
void lanes_wake_one(struct lanes *lanes);
void lanes_wake_all(struct lanes *lanes);

/* The executor that is to be woken for what came into the lane, if one is needed for it. Its
 * condition is to be signalled without the lock: it would wake only to wait for that. */
struct waiter *lanes_waiter_for(struct lanes *lanes, const struct lane *lane);

/* As lanes_awaited. */
void lanes_awaited_locked(struct lanes *lanes);

/* May one of the reads that wait run now? Else *later is brought forward to when it may. */
bool lanes_has_detached(struct lanes *lanes, int64_t now, int64_t *later);
/* The same, and the first of them is under way then; NULL: none. */
struct detached_read *lanes_begin_read(struct lanes *lanes, int64_t now, int64_t *later);

/* A condition that lanes_wait_until can wait for. */
void lanes_cond_init(pthread_cond_t *cond);
/* Waits on `cond` until `tick` (clock_tick_ms) at the latest. */
void lanes_wait_until(struct lanes *lanes, pthread_cond_t *cond, int64_t tick);

/* Something of the lane is to be written to its row. */
bool lanes_row_is_behind(const struct lane *lane);

#endif
