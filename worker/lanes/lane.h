/*
 * lane.h - one assigned partition: what waits in it, and where it stands
 *
 * A lane is guarded by the mutex of its struct lanes (lanes.h), but for what the comment of a
 * member says otherwise. An executor that has a lane (busy) alone changes its positions.
 *
 *   answered <= applied <= position <= next
 *   answered: lowest offset whose reply Kafka has not acknowledged (as in the database)
 *   applied:  next offset whose effect is not in yet (as in the database)
 *   position: next offset to be executed
 *   next:     next offset to be accepted from Kafka
 */
#ifndef WORKER_LANES_LANE_H
#define WORKER_LANES_LANE_H

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lane_state {
	LANE_UNCLAIMED, /* assigned; an executor is to take its row, not before retry_at */
	LANE_SEEKING,   /* claimed; the consumer is to start it at `next` */
	LANE_RUNNING,
	LANE_STOPPED, /* only an operator can help; the log says how */
	LANE_GONE,    /* revoked or lost; freed when the last one lets go of it */
};

/* Messages in order; a ring of a power of two. */
struct message_queue {
	rd_kafka_message_t **ring;
	size_t size, head, tail;
};

/* Offsets of reads whose replies are on their way, in order; a ring likewise. */
struct read_queue {
	struct pending_read {
		int64_t offset;
		bool answered;
	} *ring;
	size_t size, head, tail;
};

/* One outbox row: deleted when all its replies are acknowledged. */
struct stored_replies {
	struct stored_replies *next;
	int64_t seq;
	size_t waiting;
};

struct lane {
	char *topic;
	int32_t partition;
	rd_kafka_queue_t *source; /* the partition's own queue; the consumer's thread alone */
	atomic_bool arrived; /* something came into it since it was emptied; librdkafka's threads */
	int wake_fd;         /* of its lanes */
	bool fetched;        /* not paused; this and the next three are fetch_window.c's */
	size_t moved;        /* bytes that came from it since it was let in */
	int64_t moved_at;    /* clock_tick_ms */
	int64_t waits_since; /* clock_tick_ms; to be let in */
	int references;

	enum lane_state state;
	bool busy;     /* an executor has it */
	bool large;    /* busy, the first of a large batch */
	bool small;    /* busy in a batch of lanes in which little waited */
	bool reclaim;  /* busy being claimed, and to be taken once more */
	bool revoking; /* no new batch; tidy what is left */
	size_t led;    /* the number of the batch in which it was the first, the last time */
	/* A command may have broken a worker or a backend: each runs alone, and each attempt is counted
	 * in the row first. */
	bool suspect;
	int64_t suspect_end; /* it cannot be at this offset or beyond */
	int64_t crash_offset;
	int32_t crash_count;
	int32_t excused;  /* of them: the server itself said that it was ending the session */
	int64_t retry_at; /* clock_tick_ms; not before */
	int64_t first_at; /* clock_tick_ms when the first waiting message came, for the linger */
	int retries;      /* in a row, for the back-off */

	struct message_queue messages;
	size_t bytes;

	int64_t next, position, applied, answered;
	int64_t gap; /* the offset that came in place of `next`, which is asked for again; or 0 */
	bool reseek; /* the consumer is to start it at `next` once more */
	int64_t end; /* of the partition, as last heard; the consumer's thread, or who takes the lane */
	int starved;         /* looks in a row that saw something there and nothing come */
	int64_t starved_end; /* the end for which it was started anew: what is before it may be ends
	                        of transactions alone */
	int64_t epoch;
	int64_t seq;         /* of the next outbox row */
	int64_t advanced_at; /* clock_tick_ms of the last write of the row */

	uint32_t
		reply_generation; /* raised when the ledger is forgotten: late acknowledgements are not its */
	struct read_queue reads;
	struct stored_replies *stored; /* not yet all acknowledged */
	int64_t *acked;                /* seqs of outbox rows to delete */
	size_t acked_count, acked_size;
};

struct lane *lane_new(const char *topic, int32_t partition);
/* Frees what waits in it, too. */
void lane_free(struct lane *lane);

void message_queue_push(struct message_queue *queue, rd_kafka_message_t *message);
/* Back to the front, as the one that comes next. */
void message_queue_unpop(struct message_queue *queue, rd_kafka_message_t *message);
rd_kafka_message_t *message_queue_pop(struct message_queue *queue); /* NULL if empty */
size_t message_queue_length(const struct message_queue *queue);
rd_kafka_message_t *message_queue_front(const struct message_queue *queue);

/* What a message costs in memory, about. */
size_t message_bytes(const rd_kafka_message_t *message);

/* Drops all that waits; for a lane that is taken anew, stopped or gone. */
void lane_clear(struct lane *lane);

/*
 * True: the message at `offset` is the lane's next one (those below were seen). Offsets may be
 * missing from a log (compaction, ends of transactions), or from what librdkafka hands out. So a
 * gap is believed when the same message comes a second time, after a seek to `next`; `reseek`
 * asks for it.
 */
bool lane_accepts(struct lane *lane, int64_t offset);

/* Nothing comes before `offset`, where the partition ends now. What else stands there, ends of
 * transactions, is passed over when that is told a second time, as a gap is. */
void lane_reached_end(struct lane *lane, int64_t offset);
/* All that was accepted is through, if nothing waits and nobody has the lane: so is what stands
 * behind it, up to `next`. */
void lane_pass_gap(struct lane *lane);

/* Called about once a second with the partition's end as last heard. True: for so many `looks` in
 * a row there was something to read and nothing came; `reseek` is set, once for the same end. */
bool lane_looks_starved(struct lane *lane, int64_t end, int looks);

/* The ledger of replies. lane_read_sent must be called in order of offsets. */
void lane_read_sent(struct lane *lane, int64_t offset);
void lane_read_answered(struct lane *lane, int64_t offset);
struct stored_replies *lane_replies_stored(struct lane *lane, int64_t seq, size_t count);
void lane_reply_acked(struct lane *lane, struct stored_replies *stored);
/* Forgets the ledger: the lane is taken anew, late acknowledgements mean nothing any more. */
void lane_forget_replies(struct lane *lane);

/* Lowest offset whose reply is not acknowledged: what `answered` may be written as. */
int64_t lane_answered(const struct lane *lane);
bool lane_replies_waiting(const struct lane *lane);

#endif
