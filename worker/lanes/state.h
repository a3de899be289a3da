/*
 * state.h - the members of `struct lanes`, for the files of this module and their unit tests
 */
#ifndef WORKER_LANES_STATE_H
#define WORKER_LANES_STATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schemas/base/clock.h"
#include "worker/lanes/batch_limits.h"
#include "worker/lanes/lane.h"
#include "worker/lanes/lanes.h"
#include "worker/lanes/wait.h"
#include "worker/telemetry/metrics.h"

/* Batches under way. */
struct lanes_batches {
	size_t large;          /* large ones under way */
	size_t slow;           /* batches of slow lanes under way */
	size_t slow_lanes;     /* lanes that are slow */
	size_t small_lanes;    /* lanes in the small batches under way */
	int64_t small_since;   /* clock_tick_ms when the last small batch began */
	size_t small_commands; /* commands that waited for it */
	int64_t awaited_until; /* clock_tick_ms; until then one large batch less runs */
	int watchers;          /* executors that wait until a small lane may run */
	size_t first;          /* the search for a batch starts at this lane */
	size_t led;            /* batches given out so far */
};

/* Detached reads. */
struct lanes_detached {
	struct detached_read *waiting, **waiting_end;
	size_t count; /* that wait */
	size_t burst; /* the largest count since none waited */
	struct detached_read *running;
};

struct lanes {
	struct lanes_limits limits;
	struct metrics *metrics;
	pthread_mutex_t mutex;
	struct waiter *waiters; /* executors without work */
	pthread_cond_t settled; /* a revoke waits for it */
	int wake_fd;
	bool quitting;
	unsigned roused;     /* how often lanes_rouse was called */
	size_t away;         /* executors that take no work now */
	int64_t asked_at;    /* clock_tick_ms when an executor last asked for work */
	bool waits_for_room; /* see lanes_wait_for_room */
	size_t bytes;        /* of all waiting messages and those in batches */
	struct lane **list;
	size_t count, size;
	struct lanes_batches batches;
	struct lanes_detached detached;
};

static inline void lanes_lock(struct lanes *lanes)
{
	pthread_mutex_lock(&lanes->mutex);
}

static inline void lanes_unlock(struct lanes *lanes)
{
	pthread_mutex_unlock(&lanes->mutex);
}

/* With the mutex held: a client waits for answers, so large batches leave room for a while. */
static inline void lanes_set_awaited(struct lanes *lanes)
{
	lanes->batches.awaited_until = clock_tick_ms() + AWAITED_MS;
}

/* With the mutex held. */
static inline void lane_unref_locked(struct lane *lane)
{
	if (--lane->references == 0)
		lane_free(lane);
}

/* Wakes the consumer's thread. */
void lanes_wake_consumer(struct lanes *lanes);

/* --- with the mutex held --- */

void lane_set_state(struct lanes *lanes, struct lane *lane, enum lane_state state);
/* Writes the gauges that count lanes by state. */
void lanes_count_states(struct lanes *lanes);
/* Returns how many more messages the lane accepts now; 0 if it is full or not running. */
size_t lane_room_locked(const struct lanes *lanes, const struct lane *lane);
/* Drops the lane's waiting messages. */
void lane_clear_locked(struct lanes *lanes, struct lane *lane);

#endif
