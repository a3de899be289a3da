/* fetch.c - the sources of lanes, and which lanes librdkafka fetches */
#include "worker/lanes/fetch.h"

#include <string.h>
#include <sys/eventfd.h>

#include "worker/lanes/state.h"

/* A lane that received nothing for this long has nothing to receive, whatever the partition's end
 * says: the end counts transaction markers too. */
#define QUIET_MS 200

/* librdkafka's thread: the queue was empty and has messages now. */
static void lane_arrived(rd_kafka_t *rk, void *opaque)
{
	struct lane *lane = opaque;
	(void)rk;
	if (atomic_exchange(&lane->fetch.arrived, true))
		return;
	/* A full counter fails, and is a wake-up that the consumer has still to see. */
	(void)!eventfd_write(lane->fetch.wake_fd, 1);
}

void lane_open_source(struct lanes *lanes, struct lane *lane, rd_kafka_queue_t *source)
{
	lane->fetch.wake_fd = lanes->wake_fd;
	lane->fetch.source = source;
	rd_kafka_queue_cb_event_enable(source, lane_arrived, lane);
}

void lane_close_source(struct lane *lane)
{
	if (lane->fetch.source)
		rd_kafka_queue_cb_event_enable(lane->fetch.source, NULL, NULL);
}

bool lane_has_arrived(const struct lane *lane)
{
	return atomic_load(&lane->fetch.arrived);
}

size_t lane_consume(struct lane *lane, rd_kafka_message_t **messages, size_t most)
{
	/* Before the queue is emptied: a message behind the last one sets it again. */
	atomic_store(&lane->fetch.arrived, false);
	ssize_t got = rd_kafka_consume_batch_queue(lane->fetch.source, 0, messages, most);
	if (got <= 0)
		return 0;
	atomic_store(&lane->fetch.arrived, true);
	return (size_t)got;
}

void lane_refetch(struct lanes *lanes, struct lane *lane)
{
	lanes_lock(lanes);
	lane->fetch.reseek = true;
	lanes_unlock(lanes);
	lanes_wake_consumer(lanes);
}

/* --- whether the topic is still the one that was claimed --- */

static bool lane_is_claimed(const struct lane *lane)
{
	return lane->state == LANE_SEEKING || lane->state == LANE_RUNNING;
}

bool lane_awaits_proof(struct lanes *lanes, const struct lane *lane, unsigned long long mark)
{
	lanes_lock(lanes);
	bool awaits = lane_is_claimed(lane) && lane_proven(lane) != mark;
	lanes_unlock(lanes);
	return awaits;
}

static bool is_other_topic(const struct lane *lane, const char *id)
{
	return lane->topic_id[0] && id[0] && strcmp(lane->topic_id, id) != 0;
}

int lane_prove(struct lanes *lanes, struct lane *lane, const char *id, unsigned long long mark)
{
	int others = 0;
	lanes_lock(lanes);
	if (!lane_is_claimed(lane)) {
		lane->fetch.others = 0;
	} else if (!is_other_topic(lane, id)) {
		lane->fetch.others = 0;
		atomic_store(&lane->fetch.proven, mark);
	} else {
		lane->fetch.others++;
		others = lane->fetch.others;
		if (lane->schedule.busy || message_queue_length(&lane->messages) > 0)
			others = 1;
	}
	lanes_unlock(lanes);
	return others;
}

unsigned long long lane_proven(const struct lane *lane)
{
	return atomic_load(&lane->fetch.proven);
}

/* --- admission --- */

/* Smaller keys and headers, a thousand times, need no more than librdkafka's queue may hold anyway. */
#define HEAVY_BYTES 2048

bool lane_is_heavy(const struct lane *lane)
{
	return lane->fetch.uncounted > lane->fetch.counted &&
		lane->fetch.uncounted > HEAVY_BYTES * lane->fetch.messages;
}

void lane_hold(struct lane *lane)
{
	lane_expel(lane);
	lane->fetch.held = true;
}

void lane_block(struct lanes *lanes, struct lane *lane, bool blocked)
{
	lanes_lock(lanes);
	lane->fetch.unreadable = blocked;
	lanes_count_states(lanes);
	lanes_unlock(lanes);
}

void lane_admit(struct lane *lane)
{
	lane->fetch.admitted = true;
	lane->fetch.held = false;
	lane->fetch.counted = lane->fetch.uncounted = lane->fetch.messages = 0;
	lane->fetch.moved = 0;
	lane->fetch.moved_at = clock_tick_ms();
}

void lane_expel(struct lane *lane)
{
	lane->fetch.admitted = false;
	lane_await_admission(lane);
}

void lane_await_admission(struct lane *lane)
{
	lane->fetch.waits_since = clock_tick_ms();
}

void lane_moved(struct lane *lane, size_t bytes, int64_t now)
{
	lane->fetch.moved += bytes;
	if (now)
		lane->fetch.moved_at = now;
}

void lane_extend(struct lane *lane, int64_t end)
{
	if (end > lane->fetch.end)
		lane->fetch.end = end;
}

/* An unclaimed lane counts too: its messages stay in the partition's queue meanwhile. */
static bool lane_is_behind(const struct lane *lane, int64_t now)
{
	return lane->state != LANE_STOPPED && lane->offsets.next < lane->fetch.end &&
		(now - lane->fetch.moved_at < QUIET_MS || lane_has_arrived(lane));
}

static bool lane_awaits_admission(const struct lane *lane)
{
	return !lane->fetch.admitted && !lane->fetch.unreadable && lane->state == LANE_RUNNING &&
		!lane->schedule.revoking;
}

static void fetch_look_at(struct fetch_look *look, struct lane *lane, int64_t now)
{
	bool holds = lane->fetch.held && message_queue_length(&lane->messages) > 0;
	look->holds |= holds;
	if (!holds && lane_awaits_admission(lane) &&
		(!look->first || lane->fetch.waits_since < look->first->fetch.waits_since))
		look->first = lane;
	if (!lane->fetch.admitted || !lane_is_behind(lane, now))
		return;
	look->behind++;
	if (lane->fetch.moved >= FETCH_SHARE_BYTES &&
		(!look->had_most || lane->fetch.moved > look->had_most->fetch.moved))
		look->had_most = lane;
}

struct fetch_look lanes_look_around(struct lanes *lanes)
{
	struct fetch_look look = { 0 };
	int64_t now = clock_tick_ms();
	lanes_lock(lanes);
	look.bytes = lanes->bytes;
	for (size_t i = 0; i < lanes->count; i++)
		fetch_look_at(&look, lanes->list[i], now);
	lanes_unlock(lanes);
	return look;
}

void lanes_wait_for_room(struct lanes *lanes, bool any)
{
	lanes_lock(lanes);
	lanes->waits_for_room = any;
	lanes_unlock(lanes);
}

bool lanes_any_waits_for_room(struct lanes *lanes)
{
	lanes_lock(lanes);
	bool any = lanes->waits_for_room;
	lanes_unlock(lanes);
	return any;
}
