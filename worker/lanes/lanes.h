/*
 * lanes.h - all lanes of this worker, and who works on which
 *
 * One mutex guards all lanes. The consumer's thread adds, fills and revokes lanes; executors
 * ask for work and give it back; the producer's thread acknowledges replies.
 */
#ifndef WORKER_LANES_LANES_H
#define WORKER_LANES_LANES_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/lanes/lane.h"
#include "worker/telemetry/metrics.h"

/* Lanes in one batch at the most: the fence locks a row for each. */
#define WORK_LANES_MAX 64

struct lanes_limits {
	size_t batch_commands; /* of one batch */
	size_t large_batches;  /* large ones at once */
	size_t batch_bytes;
	unsigned detached_reads; /* reads beside their lanes under way at once, at the most */
	int64_t linger_ms;       /* a lane waits so long for more after its first message */
	size_t memory_bytes;     /* all that waits in lanes */
};

struct lanes;

struct lanes *lanes_new(const struct lanes_limits *limits, struct metrics *metrics);
void lanes_free(struct lanes *lanes);

/* A file descriptor that becomes readable when the consumer's thread has something to do:
 * a lane to seek, a lane with room again. */
int lanes_wake_fd(const struct lanes *lanes);
void lanes_wake(struct lanes *lanes);

void lanes_lock(struct lanes *lanes);
void lanes_unlock(struct lanes *lanes);

/* --- the consumer's thread --- */

/* A newly assigned lane, untaken; an executor takes it. */
struct lane *lanes_add(struct lanes *lanes, const char *topic, int32_t partition);
struct lane *lanes_find(struct lanes *lanes, const char *topic, int32_t partition);
size_t lanes_count(const struct lanes *lanes);
struct lane *lanes_at(const struct lanes *lanes, size_t index);

/* How many more messages it takes now; 0 if it is full or not running. */
size_t lanes_room(struct lanes *lanes, const struct lane *lane);
/* Takes the messages over; drops (destroys) what lies below the lane's next offset. Returns the
 * bytes of those that are in. */
size_t lanes_push(struct lanes *lanes, struct lane *lane, rd_kafka_message_t **messages,
	size_t count);
/* What the lane has got is all there is before that offset; see lane_reached_end. */
void lanes_reached_end(struct lanes *lanes, struct lane *lane, int64_t offset);
/* The next lane from number *at on that is to be started (*seeking), or has room for what has
 * arrived; NULL: none. One look at the lock for all that need nothing. */
struct lane *lanes_next_to_serve(struct lanes *lanes, size_t *at, bool *seeking);
/* With the lock held: bytes that all lanes hold, and batches of them. */
size_t lanes_bytes(const struct lanes *lanes);
/* Some lanes are not fetched from until there is room: the consumer is to be woken after each
 * batch. */
void lanes_wait_for_room(struct lanes *lanes, bool any);
bool lanes_any_waits_for_room(struct lanes *lanes);
/* A lane that was to be started at `next` has been. */
void lanes_started(struct lanes *lanes, struct lane *lane);
void lanes_stop(struct lanes *lanes, struct lane *lane);

/* Ends a lane: waits until the batch in hand is through, its replies acknowledged and its row
 * written, but not beyond the deadline (clock_tick_ms; 0: not at all), then lets go of it. */
void lanes_revoke(struct lanes *lanes, struct lane *lane, int64_t deadline);
/* Says it of several before waiting for the first. */
void lanes_revoking(struct lanes *lanes, struct lane *lane);

/* --- executors --- */

/* A read that left its lane: it runs beside it, on another connection. */
struct detached_read {
	struct detached_read *next;
	struct lane *lane;         /* referenced */
	uint32_t reply_generation; /* the lane's, when it left */
	rd_kafka_message_t *message;
	int64_t retry_at; /* clock_tick_ms; not before */
	int64_t began;    /* clock_tick_ms */
	int retries;      /* so far */
	int breaks;       /* of them: its session ended, and nobody said why */
};

/* An executor that waits; it belongs to the executor, lanes_next alone touches it. */
struct waiter {
	pthread_cond_t wake;
	struct waiter *below;
	bool waiting;
};
void waiter_init(struct waiter *waiter);

enum work_kind {
	WORK_QUIT,
	WORK_NONE,     /* nothing for a while */
	WORK_CLAIM,    /* one lane: take its row */
	WORK_BATCH,    /* lanes with messages */
	WORK_DETACHED, /* one read that runs beside its lane */
	WORK_CHECKPOINT, /* lanes idle, but with a row to be written: answered moved, outbox rows done */
};

struct work {
	enum work_kind kind;
	struct lane *lanes[WORK_LANES_MAX]; /* busy, and referenced, until lanes_done */
	size_t lane_count;
	struct detached_read *read; /* of WORK_DETACHED: the executor's own now */
};

/* Waits for something to do; WORK_NONE after idle_ms without. The executor that was busy last is
 * woken first: its connection and caches are warm, and the others' may go idle. */
void lanes_next(struct lanes *lanes, struct work *work, struct waiter *waiter, int idle_ms);

/* Somebody waits for an answer of a light batch: for a while the large ones leave room. */
void lanes_awaited(struct lanes *lanes);

/* Puts a read beside its lane; takes over the side and what it has. */
void lanes_detach_read(struct lanes *lanes, struct detached_read *read);
/* Is there room for one behind so many that are still to be put there? Else it runs in its lane. */
bool lanes_detached_room(struct lanes *lanes, size_t before);
/* Does its lane still wait for it? One that was taken anew, or is gone, has it run again. */
bool lanes_read_wanted(struct lanes *lanes, const struct detached_read *read);
/* One that was given as WORK_DETACHED goes back, to run again at retry_at. */
void lanes_retry_read(struct lanes *lanes, struct detached_read *read);
/* One that was given has its answer; it is the caller's still. */
void lanes_read_done(struct lanes *lanes, struct detached_read *read);
void lanes_free_read(struct lanes *lanes, struct detached_read *read);
/* What the last of those that wait waits for its turn, if each takes took_ms, as this burst of them
 * stood when it was largest; 0: none waits. */
int64_t lanes_detached_wait_ms(struct lanes *lanes, int64_t took_ms);

/* The lane is free again: in that state, not before `delay_ms`. */
void lanes_done(struct lanes *lanes, struct lane *lane, enum lane_state state, int64_t delay_ms);

/* With the lock held: so many bytes of the lane's messages went into a batch. They count
 * against the memory ceiling until they are released or back in their lane. */
void lanes_popped(struct lane *lane, size_t bytes);
void lanes_released(struct lanes *lanes, size_t bytes);

/* Messages that were popped for a batch that is not to be, back in order. */
void lanes_unpop(struct lanes *lanes, struct lane *lane, rd_kafka_message_t **messages,
	size_t count);

/* All executors get WORK_QUIT once nothing is left to be done. */
void lanes_quit(struct lanes *lanes);

/* All running lanes are to be taken anew: what the producer had in hand is in doubt. */
void lanes_reclaim_all(struct lanes *lanes);
/* This one, not before `delay_ms`; unless its ledger is another one by now. */
void lanes_reclaim(struct lanes *lanes, struct lane *lane, uint32_t reply_generation,
	int64_t delay_ms);

/* --- anyone --- */

/* Lanes that are assigned and not yet begun: before they are, what a command may rely on is not
 * there (a new group with kafka.offsetReset "latest" starts where it takes them). */
size_t lanes_not_started(struct lanes *lanes);

void lane_ref(struct lanes *lanes, struct lane *lane);
void lane_unref(struct lanes *lanes, struct lane *lane);

/* A reply was acknowledged (or given up); ledger: the lane's when it was sent. Lets go of the
 * reference that the sender took. */
void lanes_reply_done(struct lanes *lanes, struct lane *lane, uint32_t reply_generation,
	struct stored_replies *stored, int64_t read_offset);

#endif
