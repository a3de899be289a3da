/*
 * lanes.h - all lanes of this worker: adding, finding, stopping and revoking them
 *
 * One private mutex guards all lanes. The consumer's thread adds, fills (queue.h, fetch.h) and
 * revokes lanes; executors get work (work.h, detached.h); executors and the producer's thread keep
 * the replies that lanes owe (replies.h).
 */
#ifndef WORKER_LANES_LANES_H
#define WORKER_LANES_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/lanes/lane.h"
#include "worker/telemetry/metrics.h"

struct lanes_limits {
	size_t batch_commands;   /* in one batch */
	size_t batch_bytes;      /* in one batch */
	size_t large_batches;    /* large batches at once */
	unsigned detached_reads; /* detached reads at once, while all are quick */
	unsigned slow_max;       /* detached reads and batches of slow lanes at once: one session
	                                less than there are, so that quick commands always find one */
	int64_t linger_ms;       /* how long a lane waits for more after its first message */
	size_t memory_bytes;     /* all messages that lanes and batches hold */
};

struct lanes;

struct lanes *lanes_new(const struct lanes_limits *limits, struct metrics *metrics);
void lanes_free(struct lanes *lanes);

/* Returns a file descriptor that becomes readable when the consumer's thread has something to do:
 * a lane to seek, or a lane with room again. */
int lanes_wake_fd(const struct lanes *lanes);
/* Makes it readable. Any thread. */
void lanes_wake(struct lanes *lanes);

/* --- consumer's thread --- */

/* Adds an assigned partition as an unclaimed lane; an executor claims it. */
struct lane *lanes_add(struct lanes *lanes, const char *topic, int32_t partition);
struct lane *lanes_find(struct lanes *lanes, const char *topic, int32_t partition);
size_t lanes_count(const struct lanes *lanes);
struct lane *lanes_at(const struct lanes *lanes, size_t index);

/* Returns the next lane from number *at on that must be started (*seeking) or has room for what
 * arrived; NULL: none. One call takes the mutex once for all lanes that need nothing. */
struct lane *lanes_next_to_serve(struct lanes *lanes, size_t *at, bool *seeking);
/* The consumer started the lane at offsets.next. */
void lanes_started(struct lanes *lanes, struct lane *lane);

/* Ends a lane: waits until its batch ends, Kafka acknowledges its replies and a checkpoint writes
 * its row, but not beyond the deadline (clock_tick_ms; 0: does not wait), then releases the lane. */
void lanes_revoke(struct lanes *lanes, struct lane *lane, int64_t deadline);
/* Announces the revocation, so that several lanes can settle in parallel. */
void lanes_revoking(struct lanes *lanes, struct lane *lane);

/* One look at a lane, about once a second. `end` is the partition's end as librdkafka knows it. */
struct lane_look {
	size_t waiting;         /* messages */
	int64_t lag;            /* messages between position and end; 0 unless running */
	int64_t answered, next; /* as in the lane's offsets */
	bool running;
	bool starved; /* the lane now asks for a restart: lane_looks_starved */
};
struct lane_look lanes_look(struct lanes *lanes, struct lane *lane, int64_t end, int checks);

/* --- executors --- */

/* What the claimed row says. */
struct lane_start {
	int64_t epoch, applied, answered;
	int64_t end;          /* of the partition */
	const char *topic_id; /* NULL: unknown */
	struct lane_suspect suspect;
};
/* Puts the lane where its row says. Returns the new generation of its replies. */
uint32_t lanes_claimed(struct lanes *lanes, struct lane *lane, const struct lane_start *start);

/* The executor that has the lane learned something about the command that may crash. */
void lanes_set_suspect(struct lanes *lanes, struct lane *lane, const struct lane_suspect *suspect);

/* --- any thread --- */

/* Only an operator can help: drops the lane's messages, and no executor gets it any more. `why` is
 * static. */
void lanes_stop(struct lanes *lanes, struct lane *lane, const char *why);
/* Is every lane stopped, and is there one? If so, `text` names them and says why, as far as it fits. */
bool lanes_all_stopped(struct lanes *lanes, char *text, size_t size);

/* Is the lane about to end, or not this worker's any more? */
bool lanes_is_leaving(struct lanes *lanes, const struct lane *lane);

/* Counts assigned lanes that were never started. */
size_t lanes_not_started(struct lanes *lanes);

/* Calls `each` for every unclaimed lane, with the mutex held. */
typedef void lanes_each_fn(void *arg, const char *topic, int32_t partition);
void lanes_each_unclaimed(struct lanes *lanes, lanes_each_fn *each, void *arg);

void lane_ref(struct lanes *lanes, struct lane *lane);
void lane_unref(struct lanes *lanes, struct lane *lane);

#endif
