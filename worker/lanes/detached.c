/* detached.c - the reads of lanes.h that run beside their lanes */
#include "worker/lanes/state.h"

#include <stdlib.h>

#include "schemas/base/clock.h"

/* So many wait at the most: each holds its message. */
#define WAITING_MAX 256
/* A read that has run for so long keeps no other from its turn: quick ones do not wait behind a few
 * that compare all vectors of a large table. */
#define SLOW_MS 50

/* *later is brought forward to when one that is under way counts as slow. */
static bool may_begin(const struct lanes *lanes, int64_t now, int64_t *later)
{
	unsigned begun = 0, quick = 0;
	for (const struct detached_read *read = lanes->detached_begun; read; read = read->next) {
		begun++;
		if (read->began + SLOW_MS <= now)
			continue;
		quick++;
		if (read->began + SLOW_MS < *later)
			*later = read->began + SLOW_MS;
	}
	return begun < lanes->detached_limit.most && quick < lanes->detached_limit.now;
}

/* Where the next one hangs. One that failed a moment ago holds up none behind it. */
static struct detached_read **next_read(struct lanes *lanes, int64_t now, int64_t *later)
{
	if (!lanes->detached || !may_begin(lanes, now, later))
		return NULL;
	for (struct detached_read **at = &lanes->detached; *at; at = &(*at)->next) {
		if ((*at)->retry_at <= now)
			return at;
		if ((*at)->retry_at < *later)
			*later = (*at)->retry_at;
	}
	return NULL;
}

bool lanes_has_detached(struct lanes *lanes, int64_t now, int64_t *later)
{
	return next_read(lanes, now, later) != NULL;
}

struct detached_read *lanes_begin_read(struct lanes *lanes, int64_t now, int64_t *later)
{
	struct detached_read **at = next_read(lanes, now, later);
	if (!at)
		return NULL;
	struct detached_read *read = *at;
	*at = read->next;
	if (!*at)
		lanes->detached_end = at;
	lanes->detached_count--;
	read->began = now;
	read->next = lanes->detached_begun;
	lanes->detached_begun = read;
	return read;
}

static void detached_end(struct lanes *lanes, const struct detached_read *read)
{
	struct detached_read **at = &lanes->detached_begun;
	while (*at != read)
		at = &(*at)->next;
	*at = read->next;
}

static void detached_put(struct lanes *lanes, struct detached_read *read)
{
	read->next = NULL;
	*lanes->detached_end = read;
	lanes->detached_end = &read->next;
	lanes->detached_count++;
	if (lanes->detached_count == 1 || lanes->detached_count > lanes->detached_burst)
		lanes->detached_burst = lanes->detached_count;
	lanes_awaited_locked(lanes);
}

/* Where the limit is reached, who ends one takes the next; but one has to look when it may be passed. */
void lanes_detach_read(struct lanes *lanes, struct detached_read *read)
{
	int64_t later = INT64_MAX;
	lanes_lock(lanes);
	detached_put(lanes, read);
	if (lanes->detached_count == 1 || may_begin(lanes, clock_tick_ms(), &later))
		lanes_wake_one(lanes);
	lanes_unlock(lanes);
}

bool lanes_read_wanted(struct lanes *lanes, const struct detached_read *read)
{
	lanes_lock(lanes);
	bool wanted = read->lane->reply_generation == read->reply_generation;
	lanes_unlock(lanes);
	return wanted;
}

/* Whoever gives one back looks for work next, and finds what may run now. */
void lanes_retry_read(struct lanes *lanes, struct detached_read *read)
{
	lanes_lock(lanes);
	detached_end(lanes, read);
	detached_put(lanes, read);
	lanes_unlock(lanes);
}

void lanes_read_done(struct lanes *lanes, struct detached_read *read)
{
	lanes_lock(lanes);
	detached_end(lanes, read);
	detached_limit_done(&lanes->detached_limit, lanes->detached_count > 0, clock_tick_ms());
	metrics_gauge(lanes->metrics, GAUGE_DETACHED_READS, lanes->detached_limit.now);
	lanes_unlock(lanes);
}

void lanes_free_read(struct lanes *lanes, struct detached_read *read)
{
	lanes_released(lanes, message_bytes(read->message));
	rd_kafka_message_destroy(read->message);
	lane_unref(lanes, read->lane);
	free(read);
}

int64_t lanes_detached_wait_ms(struct lanes *lanes, int64_t took_ms)
{
	lanes_lock(lanes);
	int64_t turns = (int64_t)((lanes->detached_count ? lanes->detached_burst : 0) /
		lanes->detached_limit.now);
	lanes_unlock(lanes);
	return turns * took_ms;
}

bool lanes_detached_room(struct lanes *lanes, size_t before)
{
	lanes_lock(lanes);
	bool room = lanes->detached_count + before < WAITING_MAX;
	lanes_unlock(lanes);
	return room;
}
