/* replies.c - snapshots, commits and acknowledged replies of lanes */
#include "worker/lanes/replies.h"

#include <string.h>

#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"
#include "worker/lanes/state.h"

/* A lane that was reclaimed or revoked since the executor got it has forgotten which reads it owes. The
 * batch then starts from an older generation: it moves `answered` no further. */
static uint32_t replies_snapshot_generation(const struct lane *lane)
{
	return lane->state == LANE_RUNNING ? lane->replies.generation
					   : lane->replies.generation - 1;
}

struct lane_snapshot lanes_snapshot(struct lanes *lanes, const struct lane *lane)
{
	lanes_lock(lanes);
	struct lane_snapshot snapshot = {
		.position = lane->offsets.position,
		.epoch = lane->offsets.epoch,
		.applied = lane->offsets.applied,
		.generation = replies_snapshot_generation(lane),
		.acked_count = lane->replies.acked_count,
	};
	if (snapshot.acked_count) {
		size_t size = snapshot.acked_count * sizeof(*snapshot.acked);
		snapshot.acked = memcpy(allocate(size), lane->replies.acked, size);
	}
	lanes_unlock(lanes);
	return snapshot;
}

static void replies_forget_acked(struct lane_replies *replies, size_t count)
{
	if (count == 0)
		return;
	replies->acked_count -= count;
	memmove(replies->acked, replies->acked + count,
		replies->acked_count * sizeof(*replies->acked));
}

void lanes_committed(struct lanes *lanes, struct lane *lane, const struct lane_commit *commit)
{
	lanes_lock(lanes);
	if (commit->position > lane->offsets.position) {
		lane->suspect.losses = lane->suspect.broken.count = 0;
		lane->suspect.loss.counted = false;
	}
	lane->offsets.position = commit->position;
	lane->suspect.active = lane->suspect.active && commit->position < lane->suspect.end;
	if (commit->row_written) {
		lane->offsets.applied = commit->applied;
		lane->offsets.answered = commit->answered;
		lane->offsets.advanced_at = clock_tick_ms();
		if (lane->replies.generation == commit->generation)
			replies_forget_acked(&lane->replies, commit->acked_count);
	}
	lanes_unlock(lanes);
}

int64_t lanes_answered(struct lanes *lanes, const struct lane *lane, uint32_t generation,
	bool *owing)
{
	lanes_lock(lanes);
	bool newer = lane->replies.generation != generation;
	int64_t answered = newer ? lane->offsets.answered : lane_answered(lane);
	*owing = newer || lane->replies.reads.head < lane->replies.reads.tail;
	lanes_unlock(lanes);
	return answered;
}

int64_t lanes_next_seq(struct lanes *lanes, struct lane *lane)
{
	lanes_lock(lanes);
	int64_t seq = lane->offsets.epoch << 32 | lane->replies.seq++;
	lanes_unlock(lanes);
	return seq;
}

struct stored_replies *lanes_replies_stored(struct lanes *lanes, struct lane *lane,
	uint32_t generation, int64_t seq, size_t count)
{
	lanes_lock(lanes);
	struct stored_replies *stored = lane->replies.generation == generation
		? lane_replies_stored(lane, seq, count)
		: NULL;
	lanes_unlock(lanes);
	return stored;
}

void lanes_reads_sent(struct lanes *lanes, struct lane *lane, uint32_t generation,
	const int64_t *offsets, size_t count)
{
	lanes_lock(lanes);
	for (size_t i = 0; i < count && lane->replies.generation == generation; i++)
		lane_read_sent(lane, offsets[i]);
	lanes_unlock(lanes);
}

bool lanes_hold(struct lanes *lanes, struct lane *lane, uint32_t generation, enum lane_hold kind)
{
	lanes_lock(lanes);
	bool first = lane->replies.generation == generation && lane->replies.held[kind]++ == 0;
	if (first && kind == HOLD_DEAD_LETTER)
		lanes_count_states(lanes);
	lanes_unlock(lanes);
	return first;
}

bool lanes_release(struct lanes *lanes, struct lane *lane, uint32_t generation, enum lane_hold kind)
{
	lanes_lock(lanes);
	bool last = lane->replies.generation == generation && --lane->replies.held[kind] == 0;
	if (last && kind == HOLD_DEAD_LETTER)
		lanes_count_states(lanes);
	if (last)
		waiters_wake_one(&lanes->waiters);
	lanes_unlock(lanes);
	return last;
}

bool lanes_reply_wanted(struct lanes *lanes, const struct lane *lane, uint32_t generation)
{
	lanes_lock(lanes);
	bool wanted = lane->replies.generation == generation;
	lanes_unlock(lanes);
	return wanted;
}

void lanes_reply_done(struct lanes *lanes, struct lane *lane, uint32_t generation,
	struct stored_replies *stored, int64_t read_offset)
{
	lanes_lock(lanes);
	if (lane->replies.generation == generation) {
		if (stored)
			lane_reply_acked(lane, stored);
		else
			lane_read_answered(lane, read_offset);
		if (lane->schedule.revoking && !lane_replies_waiting(lane)) {
			waiters_wake_one(&lanes->waiters);
			pthread_cond_broadcast(&lanes->settled);
		}
	}
	lane_unref_locked(lane);
	lanes_unlock(lanes);
}
