/* fetch_window.c - see fetch_window.h */
#include "worker/kafka/fetch_window.h"

#include <stdlib.h>

#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"

/* A producer's batch at its largest, if neither it nor the topic is configured otherwise. */
#define SHARE_BYTES ((size_t)1024 * 1024)
#define LANES_MIN 4
/* A lane to which nothing came for so long has nothing to come, whatever the partition's end says:
 * it counts ends of transactions, too. */
#define QUIET_MS 200

struct fetch_window {
	rd_kafka_t *consumer;
	struct lanes *lanes;
	size_t lanes_most; /* behind, and fetched from, at once */
	size_t bytes_most; /* in all lanes, for one more to be let in */
};

struct fetch_window *fetch_window_new(rd_kafka_t *consumer, struct lanes *lanes, size_t bytes)
{
	struct fetch_window *window = alloc_zero(1, sizeof(*window));
	window->consumer = consumer;
	window->lanes = lanes;
	window->bytes_most = bytes;
	window->lanes_most = bytes / SHARE_BYTES < LANES_MIN ? LANES_MIN : bytes / SHARE_BYTES;
	return window;
}

void fetch_window_free(struct fetch_window *window)
{
	free(window);
}

/* --- librdkafka's side --- */

static void fetch_window_tell(const struct fetch_window *window, const struct lane *lane,
	bool fetched)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(list, lane->topic, lane->partition);
	if (fetched)
		rd_kafka_resume_partitions(window->consumer, list);
	else
		rd_kafka_pause_partitions(window->consumer, list);
	rd_kafka_topic_partition_list_destroy(list);
}

static void let_in(struct fetch_window *window, struct lane *lane)
{
	fetch_window_tell(window, lane, true);
	lane->fetched = true;
	lane->moved = 0;
	lane->moved_at = clock_tick_ms();
}

static void put_out(struct fetch_window *window, struct lane *lane)
{
	fetch_window_tell(window, lane, false);
	lane->fetched = false;
	lane->waits_since = clock_tick_ms();
}

/* --- who is in, who waits; with the lock held --- */

/* Also one that is to be taken anew: what is in its partition's queue stays there meanwhile. */
static bool is_behind(const struct lane *lane, int64_t now)
{
	return lane->state != LANE_STOPPED && lane->next < lane->end &&
		(now - lane->moved_at < QUIET_MS || atomic_load(&lane->arrived));
}

static bool fetch_window_waits(const struct lane *lane)
{
	return !lane->fetched && lane->state == LANE_RUNNING && !lane->revoking;
}

struct look {
	size_t bytes;          /* in all lanes */
	size_t in;             /* lanes behind, and fetched from */
	struct lane *first;    /* who has waited longest */
	struct lane *had_most; /* of those in, if it has had its share */
};

static struct look look_around(const struct fetch_window *window)
{
	struct look look = { 0 };
	int64_t now = clock_tick_ms();
	lanes_lock(window->lanes);
	look.bytes = lanes_bytes(window->lanes);
	for (size_t i = 0; i < lanes_count(window->lanes); i++) {
		struct lane *lane = lanes_at(window->lanes, i);
		if (fetch_window_waits(lane) &&
			(!look.first || lane->waits_since < look.first->waits_since))
			look.first = lane;
		if (!lane->fetched || !is_behind(lane, now))
			continue;
		look.in++;
		if (lane->moved >= SHARE_BYTES &&
			(!look.had_most || lane->moved > look.had_most->moved))
			look.had_most = lane;
	}
	lanes_unlock(window->lanes);
	return look;
}

/* --- the consumer's calls --- */

bool fetch_window_admit(struct fetch_window *window, struct lane *lane)
{
	if (lane->fetched) {
		/* Once more: librdkafka drops, without a word, what a rebalance of its own overtakes. */
		fetch_window_tell(window, lane, true);
		return true;
	}
	lane->waits_since = clock_tick_ms();
	if (lanes_count(window->lanes) > window->lanes_most && lane->next < lane->end &&
		look_around(window).in >= window->lanes_most) {
		lanes_wait_for_room(window->lanes, true);
		return false;
	}
	let_in(window, lane);
	return true;
}

void fetch_window_moved(struct fetch_window *window, struct lane *lane, size_t bytes)
{
	int64_t low, high;
	lane->moved += bytes;
	if (lanes_count(window->lanes) <= window->lanes_most)
		return;
	lane->moved_at = clock_tick_ms();
	if (!rd_kafka_get_watermark_offsets(window->consumer, lane->topic, lane->partition, &low,
		    &high) &&
		high > lane->end)
		lane->end = high;
}

void fetch_window_turn(struct fetch_window *window, void (*empty)(void *arg, struct lane *lane),
	void *arg)
{
	if (lanes_count(window->lanes) <= window->lanes_most &&
		!lanes_any_waits_for_room(window->lanes))
		return;
	for (;;) {
		struct look look = look_around(window);
		bool full = look.in >= window->lanes_most || look.bytes >= window->bytes_most;
		if (look.first && full && look.had_most) {
			empty(arg, look.had_most);
			put_out(window, look.had_most);
		} else if (look.first && !full) {
			let_in(window, look.first);
		} else {
			lanes_wait_for_room(window->lanes, look.first != NULL);
			return;
		}
	}
}
