/*
 * replies.h - what a batch starts from and leaves behind in its lanes, and the replies they owe
 *
 * A lane's replies have a generation. A lane that an executor claims again starts a new one, so
 * a batch or a message in flight with an older number changes nothing any more.
 */
#ifndef WORKER_LANES_REPLIES_H
#define WORKER_LANES_REPLIES_H

#include "worker/lanes/lanes.h"

/* The lane as it stands when a batch starts. */
struct lane_snapshot {
	int64_t position, epoch, applied;
	uint32_t generation;
	int64_t *acked; /* seqs of outbox rows that Kafka acknowledged; the caller frees it */
	size_t acked_count;
};
struct lane_snapshot lanes_snapshot(struct lanes *lanes, const struct lane *lane);

/* The lane after a committed batch. */
struct lane_commit {
	int64_t position;
	bool row_written; /* the members below are in the database now */
	int64_t applied, answered;
	uint32_t generation; /* of the snapshot */
	size_t acked_count;  /* outbox rows that the batch deleted: the snapshot's */
};
void lanes_committed(struct lanes *lanes, struct lane *lane, const struct lane_commit *commit);

/* Returns the lane's `answered`. *owing: it may not move past it now, because replies of reads are
 * in flight or the generation is a newer one. */
int64_t lanes_answered(struct lanes *lanes, const struct lane *lane, uint32_t generation,
	bool *owing);

/* Returns the number of the lane's next outbox row. For its executor: the epoch is this worker's
 * alone, so no other worker ever uses the same number. */
int64_t lanes_next_seq(struct lanes *lanes, struct lane *lane);

/* An outbox row with `count` messages is committed. NULL: the generation is a newer one, and the
 * claim sends them. */
struct stored_replies *lanes_replies_stored(struct lanes *lanes, struct lane *lane,
	uint32_t generation, int64_t seq, size_t count);
/* Replies of these reads are about to be sent; offsets ascend. Call it for all reads of a batch
 * before the first reply can be acknowledged. */
void lanes_reads_sent(struct lanes *lanes, struct lane *lane, uint32_t generation,
	const int64_t *offsets, size_t count);

/* A message of that generation keeps the lane from running a batch, until it is released. Returns true
 * if it is the first of its kind. Any thread. */
bool lanes_hold(struct lanes *lanes, struct lane *lane, uint32_t generation, enum lane_hold kind);
/* Returns true if it was the last of its kind. Any thread. */
bool lanes_release(struct lanes *lanes, struct lane *lane, uint32_t generation,
	enum lane_hold kind);
/* Does the lane still wait for replies of that generation? If not, they are sent again, or another
 * worker sends them. Any thread. */
bool lanes_reply_wanted(struct lanes *lanes, const struct lane *lane, uint32_t generation);

/* Kafka acknowledged a reply, or the producer gave it up. stored: its outbox row; NULL: the read at
 * read_offset. Releases the reference that the sender took. Any thread. */
void lanes_reply_done(struct lanes *lanes, struct lane *lane, uint32_t generation,
	struct stored_replies *stored, int64_t read_offset);

#endif
