/* lanes.c - see lanes.h */
#include "worker/lanes/state.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"

/* A lane holds at least so many, if they are not large: with fewer it would pass for a lane in
 * which little waits. */
#define LANE_COMMANDS_MIN 256

struct lanes *lanes_new(const struct lanes_limits *limits, struct metrics *metrics)
{
	struct lanes *lanes = alloc_zero(1, sizeof(*lanes));
	lanes->limits = *limits;
	lanes->metrics = metrics;
	pthread_mutex_init(&lanes->mutex, NULL);
	lanes_cond_init(&lanes->settled);
	lanes->detached_end = &lanes->detached;
	detached_limit_init(&lanes->detached_limit, limits->detached_reads);
	metrics_gauge(metrics, GAUGE_DETACHED_READS, lanes->detached_limit.now);
	lanes->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (lanes->wake_fd < 0)
		abort();
	return lanes;
}

void lanes_free(struct lanes *lanes)
{
	if (!lanes)
		return;
	while (lanes->detached) {
		struct detached_read *read = lanes->detached;
		lanes->detached = read->next;
		lanes_free_read(lanes, read);
	}
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
	uint64_t one = 1;
	ssize_t written = write(lanes->wake_fd, &one, sizeof(one));
	(void)written; /* a full counter is a wake-up that is still to be seen */
}

void lanes_lock(struct lanes *lanes)
{
	pthread_mutex_lock(&lanes->mutex);
}

void lanes_unlock(struct lanes *lanes)
{
	pthread_mutex_unlock(&lanes->mutex);
}

void lane_ref(struct lanes *lanes, struct lane *lane)
{
	lanes_lock(lanes);
	lane->references++;
	lanes_unlock(lanes);
}

static void unref_locked(struct lane *lane)
{
	if (--lane->references == 0)
		lane_free(lane);
}

void lane_unref(struct lanes *lanes, struct lane *lane)
{
	lanes_lock(lanes);
	unref_locked(lane);
	lanes_unlock(lanes);
}

static void count_states(struct lanes *lanes)
{
	int64_t stopped = 0, paused = 0;
	for (size_t i = 0; i < lanes->count; i++) {
		stopped += lanes->list[i]->state == LANE_STOPPED;
		paused += lanes->list[i]->state == LANE_UNCLAIMED || lanes->list[i]->retries > 0;
	}
	metrics_gauge(lanes->metrics, GAUGE_PARTITIONS, (int64_t)lanes->count);
	metrics_gauge(lanes->metrics, GAUGE_PARTITIONS_STOPPED, stopped);
	metrics_gauge(lanes->metrics, GAUGE_PARTITIONS_PAUSED, paused);
}

struct lane *lanes_add(struct lanes *lanes, const char *topic, int32_t partition)
{
	struct lane *lane = lane_new(topic, partition);
	lanes_lock(lanes);
	if (lanes->count == lanes->size) {
		lanes->size = lanes->size ? lanes->size * 2 : 16;
		lanes->list = alloc_grow(lanes->list, lanes->size, sizeof(*lanes->list));
	}
	lanes->list[lanes->count++] = lane;
	count_states(lanes);
	lanes_wake_one(lanes);
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

size_t lanes_count(const struct lanes *lanes)
{
	return lanes->count;
}

struct lane *lanes_at(const struct lanes *lanes, size_t index)
{
	return lanes->list[index];
}

/* What all lanes hold fills the batches that may be under way at once: more would only be memory. */
static size_t most_commands(const struct lanes *lanes)
{
	size_t most = lanes->limits.batch_commands;
	if (lanes->count > lanes->limits.large_batches)
		most = most * lanes->limits.large_batches / lanes->count;
	if (most < LANE_COMMANDS_MIN)
		most = LANE_COMMANDS_MIN;
	return most < lanes->limits.batch_commands ? most : lanes->limits.batch_commands;
}

static size_t room_in(const struct lanes *lanes, const struct lane *lane)
{
	size_t waiting = message_queue_length(&lane->messages);
	size_t most = most_commands(lanes);
	size_t share = lanes->limits.memory_bytes / (lanes->count ? lanes->count : 1);
	if (share > lanes->limits.batch_bytes * 2)
		share = lanes->limits.batch_bytes * 2;
	bool full = lane->bytes >= share || lanes->bytes >= lanes->limits.memory_bytes;
	if (lane->state != LANE_RUNNING || lane->revoking || lane->reseek || waiting >= most ||
		(full && waiting))
		return 0;
	/* One at a time where bytes are short: a message may be of any size. */
	return full || share - lane->bytes < 64 * 1024 ? 1 : most - waiting;
}

size_t lanes_room(struct lanes *lanes, const struct lane *lane)
{
	lanes_lock(lanes);
	size_t room = room_in(lanes, lane);
	lanes_unlock(lanes);
	return room;
}

static bool is_seeking(const struct lane *lane)
{
	return lane->state == LANE_SEEKING || (lane->state == LANE_RUNNING && lane->reseek);
}

struct lane *lanes_next_to_serve(struct lanes *lanes, size_t *at, bool *seeking)
{
	struct lane *found = NULL;
	lanes_lock(lanes);
	while (!found && *at < lanes->count) {
		struct lane *lane = lanes->list[(*at)++];
		*seeking = is_seeking(lane);
		if (*seeking || (atomic_load(&lane->arrived) && room_in(lanes, lane) > 0))
			found = lane;
	}
	lanes_unlock(lanes);
	return found;
}

size_t lanes_push(struct lanes *lanes, struct lane *lane, rd_kafka_message_t **messages,
	size_t count)
{
	size_t taken = 0;
	lanes_lock(lanes);
	for (size_t i = 0; i < count; i++) {
		rd_kafka_message_t *message = messages[i];
		if (lane->state != LANE_RUNNING || !lane_accepts(lane, message->offset)) {
			rd_kafka_message_destroy(message);
			continue;
		}
		if (message_queue_length(&lane->messages) == 0)
			lane->first_at = clock_tick_ms();
		taken += message_bytes(message);
		message_queue_push(&lane->messages, message);
	}
	lane->bytes += taken;
	lanes->bytes += taken;
	metrics_gauge(lanes->metrics, GAUGE_QUEUED_BYTES, (int64_t)lanes->bytes);
	struct waiter *waiter = lanes_waiter_for(lanes, lane);
	if (lane->reseek)
		lanes_wake(lanes); /* the consumer */
	lanes_unlock(lanes);
	if (waiter)
		pthread_cond_signal(&waiter->wake);
	return taken;
}

void lanes_reached_end(struct lanes *lanes, struct lane *lane, int64_t offset)
{
	lanes_lock(lanes);
	lane_reached_end(lane, offset);
	if (lane->reseek)
		lanes_wake(lanes); /* the consumer */
	lanes_unlock(lanes);
}

size_t lanes_bytes(const struct lanes *lanes)
{
	return lanes->bytes;
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

/* The lane's waiting messages no longer count. */
static void clear_lane(struct lanes *lanes, struct lane *lane)
{
	lanes->bytes -= lane->bytes;
	lane_clear(lane);
}

static void set_state(struct lanes *lanes, struct lane *lane, enum lane_state state)
{
	/* Who still had it in hand when it was stopped or revoked says nothing about it any more. */
	if (lane->state == LANE_GONE || lane->state == LANE_STOPPED)
		return;
	/* A lane that is being started keeps the ledger of the replies it has sent again. */
	if (state == LANE_UNCLAIMED || state == LANE_STOPPED) {
		clear_lane(lanes, lane);
		lane_forget_replies(lane);
	}
	lane->state = state;
}

void lanes_started(struct lanes *lanes, struct lane *lane)
{
	lanes_lock(lanes);
	if (lane->state == LANE_SEEKING)
		lane->state = LANE_RUNNING;
	lane->reseek = false;
	count_states(lanes);
	lanes_unlock(lanes);
}

void lanes_stop(struct lanes *lanes, struct lane *lane)
{
	lanes_lock(lanes);
	set_state(lanes, lane, LANE_STOPPED);
	count_states(lanes);
	lanes_unlock(lanes);
}

bool lanes_row_is_behind(const struct lane *lane)
{
	return lane->acked_count > 0 || lane->applied < lane->position ||
		lane->answered != lane_answered(lane);
}

static bool is_settled(const struct lane *lane)
{
	if (lane->busy)
		return false;
	return lane->state != LANE_RUNNING ||
		(!lane_replies_waiting(lane) && !lanes_row_is_behind(lane)) || lane->retries > 0;
}

static void remove_lane(struct lanes *lanes, struct lane *lane)
{
	for (size_t i = 0; i < lanes->count; i++) {
		if (lanes->list[i] != lane)
			continue;
		lanes->list[i] = lanes->list[--lanes->count];
		break;
	}
	lane->state = LANE_GONE;
	clear_lane(lanes, lane);
	lane_forget_replies(lane);
	count_states(lanes);
	unref_locked(lane);
}

void lanes_revoking(struct lanes *lanes, struct lane *lane)
{
	lanes_lock(lanes);
	lane->revoking = true;
	clear_lane(lanes, lane);
	lanes_wake_all(lanes);
	lanes_unlock(lanes);
}

void lanes_revoke(struct lanes *lanes, struct lane *lane, int64_t deadline)
{
	lanes_lock(lanes);
	lane->revoking = true;
	clear_lane(lanes, lane);
	lanes_wake_all(lanes);
	while (!is_settled(lane) && clock_tick_ms() < deadline)
		lanes_wait_until(lanes, &lanes->settled, deadline);
	remove_lane(lanes, lane);
	lanes_unlock(lanes);
}

void lanes_done(struct lanes *lanes, struct lane *lane, enum lane_state state, int64_t delay_ms)
{
	lanes_lock(lanes);
	/* Meanwhile it was told to be taken anew. */
	if (lane->state == LANE_UNCLAIMED &&
		(state == LANE_RUNNING || (state == LANE_SEEKING && lane->reclaim)))
		state = LANE_UNCLAIMED;
	lane->reclaim = false;
	set_state(lanes, lane, state);
	bool paused = lane->retries > 0;
	lane->retry_at = delay_ms > 0 ? clock_tick_ms() + delay_ms : 0;
	lane->retries = delay_ms > 0 ? lane->retries + 1 : 0;
	lane->busy = false;
	lane_pass_gap(lane);
	lanes->small_lanes -= lane->small;
	lane->small = false;
	lanes->large_batches -= lane->large;
	lane->large = false;
	if (lane->state != LANE_RUNNING || lane->retries || paused)
		count_states(lanes);
	pthread_cond_broadcast(&lanes->settled);
	/* The executor asks for work next: it needs nobody woken. The consumer is to start the lane,
	 * or to go on filling it where it was full, or to fetch from another. */
	bool wake = lane->state == LANE_SEEKING || atomic_load(&lane->arrived) ||
		lanes->waits_for_room;
	unref_locked(lane);
	lanes_unlock(lanes);
	if (wake)
		lanes_wake(lanes);
}

void lanes_popped(struct lane *lane, size_t bytes)
{
	lane->bytes -= bytes;
}

void lanes_released(struct lanes *lanes, size_t bytes)
{
	lanes_lock(lanes);
	lanes->bytes -= bytes;
	metrics_gauge(lanes->metrics, GAUGE_QUEUED_BYTES, (int64_t)lanes->bytes);
	lanes_unlock(lanes);
}

void lanes_unpop(struct lanes *lanes, struct lane *lane, rd_kafka_message_t **messages,
	size_t count)
{
	lanes_lock(lanes);
	bool wanted = lane->state == LANE_RUNNING && !lane->revoking;
	while (count-- > 0) {
		rd_kafka_message_t *message = messages[count];
		if (!wanted) {
			lanes->bytes -= message_bytes(message);
			rd_kafka_message_destroy(message);
			continue;
		}
		lane->bytes += message_bytes(message);
		message_queue_unpop(&lane->messages, message);
	}
	lanes_unlock(lanes);
}

/* A busy lane is dropped by its executor: its row's epoch is raised before it runs again, so what it
 * is doing now ends at the fence or is in. One that is being taken has sent its outbox already. */
static void reclaim_locked(struct lanes *lanes, struct lane *lane)
{
	if (lane->state == LANE_RUNNING || lane->state == LANE_SEEKING)
		set_state(lanes, lane, LANE_UNCLAIMED);
	else if (lane->state == LANE_UNCLAIMED)
		lane->reclaim = lane->busy;
}

void lanes_reclaim_all(struct lanes *lanes)
{
	lanes_lock(lanes);
	for (size_t i = 0; i < lanes->count; i++)
		reclaim_locked(lanes, lanes->list[i]);
	count_states(lanes);
	lanes_wake_all(lanes);
	lanes_unlock(lanes);
}

void lanes_reclaim(struct lanes *lanes, struct lane *lane, uint32_t reply_generation,
	int64_t delay_ms)
{
	lanes_lock(lanes);
	if (lane->reply_generation == reply_generation) {
		reclaim_locked(lanes, lane);
		lane->retry_at = clock_tick_ms() + delay_ms;
		count_states(lanes);
		lanes_wake_one(lanes);
	}
	lanes_unlock(lanes);
}

void lanes_reply_done(struct lanes *lanes, struct lane *lane, uint32_t reply_generation,
	struct stored_replies *stored, int64_t read_offset)
{
	lanes_lock(lanes);
	if (lane->reply_generation == reply_generation) {
		if (stored)
			lane_reply_acked(lane, stored);
		else
			lane_read_answered(lane, read_offset);
		if (lane->revoking && !lane_replies_waiting(lane)) {
			lanes_wake_one(lanes);
			pthread_cond_broadcast(&lanes->settled);
		}
	}
	unref_locked(lane);
	lanes_unlock(lanes);
}
