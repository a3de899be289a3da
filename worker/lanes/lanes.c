/* lanes.c - adds, finds, stops and revokes lanes */
#include "worker/lanes/lanes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "schemas/base/alloc.h"
#include "worker/lanes/detached.h"
#include "worker/lanes/state.h"

struct lanes *lanes_new(const struct lanes_limits *limits, struct metrics *metrics)
{
	struct lanes *lanes = alloc_zero(1, sizeof(*lanes));
	lanes->limits = *limits;
	lanes->metrics = metrics;
	pthread_mutex_init(&lanes->mutex, NULL);
	wait_cond_init(&lanes->settled);
	lanes->detached.waiting_end = &lanes->detached.waiting;
	lanes->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (lanes->wake_fd < 0)
		abort();
	return lanes;
}

void lanes_free(struct lanes *lanes)
{
	if (!lanes)
		return;
	detached_free_all(lanes);
	for (size_t i = 0; i < lanes->count; i++)
		lane_free(lanes->list[i]);
	free(lanes->list);
	close(lanes->wake_fd);
	pthread_cond_destroy(&lanes->settled);
	pthread_mutex_destroy(&lanes->mutex);
	free(lanes);
}

int lanes_wake_fd(const struct lanes *lanes)
{
	return lanes->wake_fd;
}

void lanes_wake(struct lanes *lanes)
{
	lanes_wake_consumer(lanes);
}

void lane_ref(struct lanes *lanes, struct lane *lane)
{
	lanes_lock(lanes);
	lane->references++;
	lanes_unlock(lanes);
}

void lane_unref(struct lanes *lanes, struct lane *lane)
{
	lanes_lock(lanes);
	lane_unref_locked(lane);
	lanes_unlock(lanes);
}

void lanes_stop(struct lanes *lanes, struct lane *lane, const char *why)
{
	lanes_lock(lanes);
	lane_set_state(lanes, lane, LANE_STOPPED);
	if (lane->state == LANE_STOPPED && !lane->stopped)
		lane->stopped = why;
	lanes_count_states(lanes);
	lanes_unlock(lanes);
}

/* Appends the lane and why it stopped. Returns the new length; beyond `size` nothing is added. */
static size_t lanes_describe_stop(const struct lane *lane, char *text, size_t size, size_t used)
{
	if (used >= size)
		return used;
	const char *why = "its dead letter can't be produced";
	if (lane->state == LANE_STOPPED)
		why = lane->stopped ? lane->stopped : "see the log";
	else if (lane->fetch.unreadable)
		why = "a batch in it can't be decompressed";
	int added = snprintf(text + used, size - used, "%s%s [%d]: %s", used ? "; " : "",
		lane->topic, (int)lane->partition, why);
	return used + (size_t)added;
}

bool lanes_all_stopped(struct lanes *lanes, char *text, size_t size)
{
	size_t stopped = 0, used = 0;
	lanes_lock(lanes);
	for (size_t i = 0; i < lanes->count; i++) {
		if (!lane_is_stopped(lanes->list[i]))
			continue;
		stopped++;
		used = lanes_describe_stop(lanes->list[i], text, size, used);
	}
	bool all = stopped > 0 && stopped == lanes->count;
	lanes_unlock(lanes);
	return all;
}

bool lanes_is_leaving(struct lanes *lanes, const struct lane *lane)
{
	lanes_lock(lanes);
	bool leaving = lane->schedule.revoking || lane->state != LANE_RUNNING;
	lanes_unlock(lanes);
	return leaving;
}

/* --- adding and finding --- */

struct lane *lanes_add(struct lanes *lanes, const char *topic, int32_t partition)
{
	struct lane *lane = lane_new(topic, partition);
	lanes_lock(lanes);
	if (lanes->count == lanes->size) {
		lanes->size = lanes->size ? lanes->size * 2 : 16;
		lanes->list = alloc_grow(lanes->list, lanes->size, sizeof(*lanes->list));
	}
	lanes->list[lanes->count++] = lane;
	lanes_count_states(lanes);
	waiters_wake_one(&lanes->waiters);
	lanes_unlock(lanes);
	return lane;
}

struct lane *lanes_find(struct lanes *lanes, const char *topic, int32_t partition)
{
	for (size_t i = 0; i < lanes->count; i++)
		if (lanes->list[i]->partition == partition &&
			strcmp(lanes->list[i]->topic, topic) == 0)
			return lanes->list[i];
	return NULL;
}

size_t lanes_not_started(struct lanes *lanes)
{
	size_t count = 0;
	lanes_lock(lanes);
	for (size_t i = 0; i < lanes->count; i++)
		count += lanes->list[i]->state == LANE_UNCLAIMED ||
			lanes->list[i]->state == LANE_SEEKING;
	lanes_unlock(lanes);
	return count;
}

void lanes_each_unclaimed(struct lanes *lanes, lanes_each_fn *each, void *arg)
{
	lanes_lock(lanes);
	for (size_t i = 0; i < lanes->count; i++)
		if (lanes->list[i]->state == LANE_UNCLAIMED)
			each(arg, lanes->list[i]->topic, lanes->list[i]->partition);
	lanes_unlock(lanes);
}

size_t lanes_count(const struct lanes *lanes)
{
	return lanes->count;
}

struct lane *lanes_at(const struct lanes *lanes, size_t index)
{
	return lanes->list[index];
}

/* --- starting --- */

static bool lane_is_seeking(const struct lane *lane)
{
	return lane->state == LANE_SEEKING || (lane->state == LANE_RUNNING && lane->fetch.reseek);
}

struct lane *lanes_next_to_serve(struct lanes *lanes, size_t *at, bool *seeking)
{
	struct lane *found = NULL;
	lanes_lock(lanes);
	while (!found && *at < lanes->count) {
		struct lane *lane = lanes->list[(*at)++];
		*seeking = lane_is_seeking(lane);
		if (*seeking ||
			(atomic_load(&lane->fetch.arrived) && lane_room_locked(lanes, lane) > 0))
			found = lane;
	}
	lanes_unlock(lanes);
	return found;
}

void lanes_started(struct lanes *lanes, struct lane *lane)
{
	lanes_lock(lanes);
	if (lane->state == LANE_SEEKING)
		lane->state = LANE_RUNNING;
	lane->fetch.reseek = false;
	atomic_store(&lane->fetch.arrived, true);
	lanes_count_states(lanes);
	lanes_unlock(lanes);
}

uint32_t lanes_claimed(struct lanes *lanes, struct lane *lane, const struct lane_start *start)
{
	lanes_lock(lanes);
	lane_forget_replies(lane);
	lane->replies.seq = 0;
	lane->offsets = (struct lane_offsets){
		.next = start->answered,
		.position = start->answered,
		.applied = start->applied,
		.answered = start->answered,
		.epoch = start->epoch,
		.advanced_at = clock_tick_ms(),
	};
	lane->fetch.end = start->end;
	lane->fetch.gap = 0;
	lane->fetch.reseek = false;
	atomic_store(&lane->fetch.proven, 0);
	lane->fetch.others = 0;
	snprintf(lane->topic_id, sizeof(lane->topic_id), "%s",
		start->topic_id ? start->topic_id : "");
	lane->suspect = start->suspect;
	uint32_t generation = lane->replies.generation;
	lanes_unlock(lanes);
	return generation;
}

struct lane_look lanes_look(struct lanes *lanes, struct lane *lane, int64_t end, int checks)
{
	lanes_lock(lanes);
	struct lane_look look = {
		.waiting = message_queue_length(&lane->messages),
		.answered = lane->offsets.answered,
		.next = lane->offsets.next,
		.running = lane->state == LANE_RUNNING,
		.starved = lane->fetch.admitted && lane_looks_starved(lane, end, checks),
	};
	if (look.running && end > lane->offsets.position)
		look.lag = end - lane->offsets.position;
	lanes_unlock(lanes);
	return look;
}

void lanes_set_suspect(struct lanes *lanes, struct lane *lane, const struct lane_suspect *suspect)
{
	lanes_lock(lanes);
	lane->suspect = *suspect;
	lanes_unlock(lanes);
}

/* --- revoking --- */

static bool lane_is_settled(const struct lane *lane)
{
	if (lane->schedule.busy)
		return false;
	return lane->state != LANE_RUNNING ||
		(!lane_replies_waiting(lane) && !lane_row_is_behind(lane)) ||
		lane->schedule.retries > 0;
}

static void lanes_remove(struct lanes *lanes, struct lane *lane)
{
	for (size_t i = 0; i < lanes->count; i++) {
		if (lanes->list[i] != lane)
			continue;
		lanes->list[i] = lanes->list[--lanes->count];
		break;
	}
	lanes->batches.slow_lanes -= lane->schedule.slow;
	lane->schedule.slow = false;
	lane->state = LANE_GONE;
	lane_clear_locked(lanes, lane);
	lane_forget_replies(lane);
	lanes_count_states(lanes);
	lane_unref_locked(lane);
}

static void lane_revoking_locked(struct lanes *lanes, struct lane *lane)
{
	lane->schedule.revoking = true;
	lane_clear_locked(lanes, lane);
	waiters_wake_all(&lanes->waiters);
}

void lanes_revoking(struct lanes *lanes, struct lane *lane)
{
	lanes_lock(lanes);
	lane_revoking_locked(lanes, lane);
	lanes_unlock(lanes);
}

void lanes_revoke(struct lanes *lanes, struct lane *lane, int64_t deadline)
{
	lanes_lock(lanes);
	lane_revoking_locked(lanes, lane);
	while (!lane_is_settled(lane) && clock_tick_ms() < deadline)
		wait_until(&lanes->settled, &lanes->mutex, deadline);
	lanes_remove(lanes, lane);
	lanes_unlock(lanes);
}
