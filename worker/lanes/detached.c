/* detached.c - the queue of detached reads, and how many run at once */
#include "worker/lanes/detached.h"

#include <stdlib.h>

#include "schemas/base/clock.h"
#include "worker/lanes/state.h"
#include "worker/lanes/work.h"

/* Reads that may wait: each holds its message. */
#define WAITING_MAX 256
/* A read that has run for this long no longer counts towards limits.detached_reads. */
#define SLOW_MS 50

static bool detached_may_begin(const struct lanes *lanes, int64_t now, int64_t *later)
{
	unsigned quick = 0;
	for (const struct detached_read *read = lanes->detached.running; read; read = read->next) {
		if (read->began + SLOW_MS <= now)
			continue;
		quick++;
		if (read->began + SLOW_MS < *later)
			*later = read->began + SLOW_MS;
	}
	return work_may_detach(lanes, now) && quick < lanes->limits.detached_reads;
}

/* Returns the link to the next read that may start. One that failed a moment ago holds up none
 * behind it. */
static struct detached_read **detached_next(struct lanes *lanes, int64_t now, int64_t *later)
{
	if (!lanes->detached.waiting || !detached_may_begin(lanes, now, later))
		return NULL;
	for (struct detached_read **at = &lanes->detached.waiting; *at; at = &(*at)->next) {
		if ((*at)->retry_at <= now)
			return at;
		if ((*at)->retry_at < *later)
			*later = (*at)->retry_at;
	}
	return NULL;
}

bool detached_has_read(struct lanes *lanes, int64_t now, int64_t *later)
{
	return detached_next(lanes, now, later) != NULL;
}

struct detached_read *detached_begin(struct lanes *lanes, int64_t now, int64_t *later)
{
	struct detached_read **at = detached_next(lanes, now, later);
	if (!at)
		return NULL;
	struct detached_read *read = *at;
	*at = read->next;
	if (!*at)
		lanes->detached.waiting_end = at;
	lanes->detached.count--;
	read->began = now;
	read->next = lanes->detached.running;
	lanes->detached.running = read;
	return read;
}

static void detached_end(struct lanes *lanes, const struct detached_read *read)
{
	struct detached_read **at = &lanes->detached.running;
	while (*at != read)
		at = &(*at)->next;
	*at = read->next;
}

static void detached_put(struct lanes *lanes, struct detached_read *read)
{
	struct lanes_detached *detached = &lanes->detached;
	read->next = NULL;
	*detached->waiting_end = read;
	detached->waiting_end = &read->next;
	detached->count++;
	if (detached->count == 1 || detached->count > detached->burst)
		detached->burst = detached->count;
	lanes_set_awaited(lanes);
}

/* At the limit, the executor that ends a read takes the next one. But one executor must watch for
 * the moment when a running read becomes slow. */
void lanes_detach_read(struct lanes *lanes, struct detached_read *read)
{
	int64_t later = INT64_MAX;
	lanes_lock(lanes);
	detached_put(lanes, read);
	if (lanes->detached.count == 1 || detached_may_begin(lanes, clock_tick_ms(), &later))
		waiters_wake_one(&lanes->waiters);
	lanes_unlock(lanes);
}

bool lanes_detached_room(struct lanes *lanes, size_t before)
{
	lanes_lock(lanes);
	bool room = lanes->detached.count + before < WAITING_MAX;
	lanes_unlock(lanes);
	return room;
}

bool lanes_read_wanted(struct lanes *lanes, const struct detached_read *read)
{
	lanes_lock(lanes);
	bool wanted = read->lane->replies.generation == read->generation;
	lanes_unlock(lanes);
	return wanted;
}

/* The executor that calls this asks for work next, so no other one needs to wake. */
void lanes_retry_read(struct lanes *lanes, struct detached_read *read)
{
	lanes_lock(lanes);
	detached_end(lanes, read);
	detached_put(lanes, read);
	waiters_wake_one(&lanes->waiters);
	lanes_unlock(lanes);
}

void lanes_read_done(struct lanes *lanes, struct detached_read *read)
{
	lanes_lock(lanes);
	detached_end(lanes, read);
	lanes_unlock(lanes);
}

void lanes_free_read(struct lanes *lanes, struct detached_read *read)
{
	if (read->free_work)
		read->free_work(read->work);
	lanes_lock(lanes);
	lane_unref_locked(read->lane);
	lanes_unlock(lanes);
	free(read);
}

void detached_free_all(struct lanes *lanes)
{
	while (lanes->detached.waiting) {
		struct detached_read *read = lanes->detached.waiting;
		lanes->detached.waiting = read->next;
		lanes_free_read(lanes, read);
	}
}

int64_t lanes_detached_wait_ms(struct lanes *lanes, int64_t took_ms)
{
	lanes_lock(lanes);
	size_t burst = lanes->detached.count ? lanes->detached.burst : 0;
	int64_t rounds = (int64_t)(burst / lanes->limits.detached_reads);
	lanes_unlock(lanes);
	return rounds * took_ms;
}
