/* wait.c - the stack of waiting executors, and conditions on the monotonic clock */
#include "worker/lanes/wait.h"

#include <stddef.h>
#include <time.h>

void wait_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

void wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t tick)
{
	struct timespec until = { .tv_sec = tick / 1000, .tv_nsec = (tick % 1000) * 1000000 };
	pthread_cond_timedwait(cond, mutex, &until);
}

void waiter_init(struct waiter *waiter)
{
	wait_cond_init(&waiter->wake);
	waiter->below = NULL;
	waiter->waiting = false;
	waiter->roused = 0;
}

void waiters_push(struct waiter **top, struct waiter *waiter)
{
	if (waiter->waiting)
		return;
	waiter->below = *top;
	waiter->waiting = true;
	*top = waiter;
}

struct waiter *waiters_pop(struct waiter **top)
{
	struct waiter *waiter = *top;
	if (!waiter)
		return NULL;
	*top = waiter->below;
	waiter->waiting = false;
	return waiter;
}

void waiters_remove(struct waiter **top, struct waiter *waiter)
{
	struct waiter **at = top;
	while (waiter->waiting && *at != waiter)
		at = &(*at)->below;
	if (waiter->waiting)
		*at = waiter->below;
	waiter->waiting = false;
}

void waiters_wake_one(struct waiter **top)
{
	struct waiter *waiter = waiters_pop(top);
	if (waiter)
		pthread_cond_signal(&waiter->wake);
}

void waiters_wake_all(struct waiter **top)
{
	while (*top)
		waiters_wake_one(top);
}
