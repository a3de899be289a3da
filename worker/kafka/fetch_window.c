/* fetch_window.c - admits and expels lanes, so that librdkafka's queues stay within the memory
 * ceiling */
#include "worker/kafka/fetch_window.h"

#include <stdlib.h>

#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"

#define LANES_MIN 4

struct fetch_window {
	rd_kafka_t *consumer;
	struct lanes *lanes;
	size_t lanes_most; /* lanes behind their end that are fetched at once */
	size_t bytes_most; /* bytes in all lanes up to which another lane is admitted */
};

struct fetch_window *fetch_window_new(rd_kafka_t *consumer, struct lanes *lanes, size_t bytes)
{
	struct fetch_window *window = alloc_zero(1, sizeof(*window));
	window->consumer = consumer;
	window->lanes = lanes;
	window->bytes_most = bytes;
	window->lanes_most = bytes / FETCH_SHARE_BYTES < LANES_MIN ? LANES_MIN
								   : bytes / FETCH_SHARE_BYTES;
	return window;
}

void fetch_window_free(struct fetch_window *window)
{
	free(window);
}

/* --- librdkafka --- */

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
	if (lane->fetch.unreadable)
		lane_block(window->lanes, lane, false);
	fetch_window_tell(window, lane, true);
	lane_admit(lane);
}

static void put_out(struct fetch_window *window, struct lane *lane)
{
	fetch_window_tell(window, lane, false);
	lane_expel(lane);
}

/* --- the consumer --- */

bool fetch_window_admit(struct fetch_window *window, struct lane *lane)
{
	if (lane->fetch.admitted) {
		/* Repeats it: librdkafka silently drops a resume that one of its own rebalances
		 * overtakes. */
		fetch_window_tell(window, lane, true);
		return true;
	}
	lane_await_admission(lane);
	if (lanes_count(window->lanes) > window->lanes_most &&
		lane->offsets.next < lane->fetch.end &&
		lanes_look_around(window->lanes).behind >= window->lanes_most) {
		lanes_wait_for_room(window->lanes, true);
		return false;
	}
	let_in(window, lane);
	return true;
}

void fetch_window_moved(struct fetch_window *window, struct lane *lane, size_t bytes)
{
	int64_t low, high;
	bool crowded = lanes_count(window->lanes) > window->lanes_most;
	lane_moved(lane, bytes, crowded ? clock_tick_ms() : 0);
	if (crowded &&
		!rd_kafka_get_watermark_offsets(window->consumer, lane->topic, lane->partition,
			&low, &high))
		lane_extend(lane, high);
}

void fetch_window_hold(struct fetch_window *window, struct lane *lane, fetch_window_empty_fn *empty,
	void *arg)
{
	if (!lane->fetch.admitted || !empty(arg, lane))
		return;
	fetch_window_tell(window, lane, false);
	lane_hold(lane);
	lanes_wait_for_room(window->lanes, true);
}

void fetch_window_block(struct fetch_window *window, struct lane *lane)
{
	put_out(window, lane);
	lane_block(window->lanes, lane, true);
}

void fetch_window_turn(struct fetch_window *window, fetch_window_empty_fn *empty, void *arg)
{
	if (lanes_count(window->lanes) <= window->lanes_most &&
		!lanes_any_waits_for_room(window->lanes))
		return;
	for (;;) {
		struct fetch_look look = lanes_look_around(window->lanes);
		bool full = look.behind >= window->lanes_most || look.bytes >= window->bytes_most;
		if (look.first && full && look.had_most) {
			if (!empty(arg, look.had_most))
				return;
			put_out(window, look.had_most);
		} else if (look.first && !full) {
			let_in(window, look.first);
		} else {
			lanes_wait_for_room(window->lanes, look.first != NULL || look.holds);
			return;
		}
	}
}
