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
	for (const struct side *side = lanes->sides_begun; side; side = side->next) {
		begun++;
		if (side->began + SLOW_MS <= now)
			continue;
		quick++;
		if (side->began + SLOW_MS < *later)
			*later = side->began + SLOW_MS;
	}
	return begun < lanes->side_limit.most && quick < lanes->side_limit.now;
}

/* Where the next one hangs. One that failed a moment ago holds up none behind it. */
static struct side **next_side(struct lanes *lanes, int64_t now, int64_t *later)
{
	if (!lanes->sides || !may_begin(lanes, now, later))
		return NULL;
	for (struct side **at = &lanes->sides; *at; at = &(*at)->next) {
		if ((*at)->retry_at <= now)
			return at;
		if ((*at)->retry_at < *later)
			*later = (*at)->retry_at;
	}
	return NULL;
}

bool lanes_has_side(struct lanes *lanes, int64_t now, int64_t *later)
{
	return next_side(lanes, now, later) != NULL;
}

struct side *lanes_begin_side(struct lanes *lanes, int64_t now, int64_t *later)
{
	struct side **at = next_side(lanes, now, later);
	if (!at)
		return NULL;
	struct side *side = *at;
	*at = side->next;
	if (!*at)
		lanes->sides_end = at;
	lanes->side_count--;
	side->began = now;
	side->next = lanes->sides_begun;
	lanes->sides_begun = side;
	return side;
}

static void end(struct lanes *lanes, const struct side *side)
{
	struct side **at = &lanes->sides_begun;
	while (*at != side)
		at = &(*at)->next;
	*at = side->next;
}

static void put(struct lanes *lanes, struct side *side)
{
	side->next = NULL;
	*lanes->sides_end = side;
	lanes->sides_end = &side->next;
	lanes->side_count++;
	if (lanes->side_count == 1 || lanes->side_count > lanes->side_burst)
		lanes->side_burst = lanes->side_count;
	lanes_awaited_locked(lanes);
}

/* Where the limit is reached, who ends one takes the next; but one has to look when it may be passed. */
void lanes_put_side(struct lanes *lanes, struct side *side)
{
	int64_t later = INT64_MAX;
	lanes_lock(lanes);
	put(lanes, side);
	if (lanes->side_count == 1 || may_begin(lanes, clock_tick_ms(), &later))
		lanes_wake_one(lanes);
	lanes_unlock(lanes);
}

bool lanes_side_wanted(struct lanes *lanes, const struct side *side)
{
	lanes_lock(lanes);
	bool wanted = side->lane->ledger == side->ledger;
	lanes_unlock(lanes);
	return wanted;
}

/* Whoever gives one back looks for work next, and finds what may run now. */
void lanes_retry_side(struct lanes *lanes, struct side *side)
{
	lanes_lock(lanes);
	end(lanes, side);
	put(lanes, side);
	lanes_unlock(lanes);
}

void lanes_side_done(struct lanes *lanes, struct side *side)
{
	lanes_lock(lanes);
	end(lanes, side);
	side_limit_done(&lanes->side_limit, lanes->side_count > 0, clock_tick_ms());
	metrics_gauge(lanes->metrics, GAUGE_READS_LIMIT, lanes->side_limit.now);
	lanes_unlock(lanes);
}

void lanes_free_side(struct lanes *lanes, struct side *side)
{
	lanes_released(lanes, message_bytes(side->message));
	rd_kafka_message_destroy(side->message);
	lane_unref(lanes, side->lane);
	free(side);
}

int64_t lanes_sides_wait_ms(struct lanes *lanes, int64_t took_ms)
{
	lanes_lock(lanes);
	int64_t turns = (int64_t)((lanes->side_count ? lanes->side_burst : 0) /
		lanes->side_limit.now);
	lanes_unlock(lanes);
	return turns * took_ms;
}

bool lanes_side_room(struct lanes *lanes, size_t before)
{
	lanes_lock(lanes);
	bool room = lanes->side_count + before < WAITING_MAX;
	lanes_unlock(lanes);
	return room;
}
