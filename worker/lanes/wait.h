/*
 * wait.h - executors that wait for work: a stack, so that the last one to wait wakes first
 *
 * The executor that was busy last has a warm connection and warm caches; those at the bottom stay
 * idle, with small buffers and no connection, while the ones above can do the work.
 *
 * The caller holds the mutex that guards the stack.
 */
#ifndef WORKER_LANES_WAIT_H
#define WORKER_LANES_WAIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct waiter {
	pthread_cond_t wake;
	struct waiter *below;
	bool waiting;
	unsigned roused; /* the last lanes_rouse that it followed */
};

void waiter_init(struct waiter *waiter);

/* Puts the waiter on the stack, unless it is there already: after a timeout it keeps its place. */
void waiters_push(struct waiter **top, struct waiter *waiter);
/* Removes and returns the top; NULL if none waits. */
struct waiter *waiters_pop(struct waiter **top);
void waiters_remove(struct waiter **top, struct waiter *waiter);
void waiters_wake_one(struct waiter **top);
void waiters_wake_all(struct waiter **top);

/* A condition for wait_until. */
void wait_cond_init(pthread_cond_t *cond);
/* Waits for `cond` until `tick` (clock_tick_ms). */
void wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t tick);

#endif
