/* state.c - states, room and memory of lanes: what the other files of this module share */
#include "worker/lanes/state.h"

#include <sys/eventfd.h>

#define SCARCE_BYTES ((size_t)64 * 1024)

void lanes_wake_consumer(struct lanes *lanes)
{
	/* A full counter fails, and is a wake-up that the consumer has still to see. */
	(void)!eventfd_write(lanes->wake_fd, 1);
}

void lanes_count_states(struct lanes *lanes)
{
	int64_t stopped = 0, paused = 0;
	for (size_t i = 0; i < lanes->count; i++) {
		const struct lane *lane = lanes->list[i];
		stopped += lane_is_stopped(lane);
		paused += lane->state == LANE_UNCLAIMED || lane->schedule.retries > 0;
	}
	metrics_gauge(lanes->metrics, GAUGE_PARTITIONS, (int64_t)lanes->count);
	metrics_gauge(lanes->metrics, GAUGE_PARTITIONS_STOPPED, stopped);
	metrics_gauge(lanes->metrics, GAUGE_PARTITIONS_PAUSED, paused);
}

void lane_set_state(struct lanes *lanes, struct lane *lane, enum lane_state state)
{
	/* An executor that still had the lane when it was stopped or revoked changes nothing. */
	if (lane->state == LANE_GONE || lane->state == LANE_STOPPED)
		return;
	/* A lane that seeks keeps its replies: the claim has just sent them again. */
	if (state == LANE_UNCLAIMED || state == LANE_STOPPED) {
		lane_clear_locked(lanes, lane);
		lane_forget_replies(lane);
	}
	lane->state = state;
}

/* All lanes together hold enough to fill the large batches that may run at once. More would only
 * cost memory. */
static size_t queue_commands_max(const struct lanes *lanes)
{
	size_t most = lanes->limits.batch_commands;
	if (lanes->count > lanes->limits.large_batches)
		most = most * lanes->limits.large_batches / lanes->count;
	if (most < LANE_COMMANDS_MIN)
		most = LANE_COMMANDS_MIN;
	return most < lanes->limits.batch_commands ? most : lanes->limits.batch_commands;
}

size_t lane_room_locked(const struct lanes *lanes, const struct lane *lane)
{
	size_t waiting = message_queue_length(&lane->messages);
	size_t most = queue_commands_max(lanes);
	size_t share = lanes->limits.memory_bytes / (lanes->count ? lanes->count : 1);
	if (share > lanes->limits.batch_bytes * 2)
		share = lanes->limits.batch_bytes * 2;
	bool full = lane->bytes >= share || lanes->bytes >= lanes->limits.memory_bytes;
	if (lane->state != LANE_RUNNING || lane->schedule.revoking || lane->fetch.reseek ||
		waiting >= most || (full && waiting))
		return 0;
	/* One at a time while bytes are scarce: a message may have any size. */
	return full || share - lane->bytes < SCARCE_BYTES ? 1 : most - waiting;
}

void lane_clear_locked(struct lanes *lanes, struct lane *lane)
{
	lanes->bytes -= lane->bytes;
	lane_clear(lane);
}
