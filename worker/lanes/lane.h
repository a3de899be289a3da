/*
 * lane.h - one assigned partition: its waiting messages, its offsets and the replies it still owes
 *
 * Offsets of a lane:
 *   answered <= applied <= position <= next
 *   answered: lowest offset whose reply Kafka has not acknowledged (stored in the database)
 *   applied:  next offset whose effect is not committed yet (stored in the database)
 *   position: next offset that an executor runs
 *   next:     next offset that the lane accepts from Kafka
 *
 * Only worker/lanes writes to a lane; other modules call lanes.h, queue.h, replies.h, fetch.h and
 * work.h. The mutex of `struct lanes` guards every member unless its comment says otherwise. While
 * a lane is busy, only its executor changes `position`, `applied`, `answered` and `suspect`, so
 * that executor reads them without the mutex.
 */
#ifndef WORKER_LANES_LANE_H
#define WORKER_LANES_LANE_H

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lane_state {
	LANE_UNCLAIMED, /* assigned; an executor claims its row, not before schedule.retry_at */
	LANE_SEEKING,   /* claimed; the consumer seeks to offsets.next and starts it */
	LANE_RUNNING,
	LANE_STOPPED, /* waits for an operator; the log says what to do */
	LANE_GONE,    /* revoked or lost; freed with its last reference */
};

/* Messages in order: a ring whose size is a power of two. */
struct message_queue {
	rd_kafka_message_t **ring;
	size_t size, head, tail;
};

/* Offsets of reads whose replies Kafka has not acknowledged, in order: a ring likewise. */
struct read_queue {
	struct pending_read {
		int64_t offset;
		bool answered;
	} *ring;
	size_t size, head, tail;
};

/* One outbox row. A later batch deletes it when Kafka has acknowledged all its replies. */
struct stored_replies {
	struct stored_replies *next;
	int64_t seq;
	size_t waiting;
};

/* How the consumer fetches the partition. */
struct lane_fetch {
	rd_kafka_queue_t *source;  /* the partition's own queue; consumer's thread only */
	atomic_bool arrived;       /* the source received messages since it was last emptied */
	int wake_fd;               /* wakes the consumer's thread */
	bool admitted;             /* librdkafka fetches it; the other members are fetch.c's */
	size_t moved;              /* bytes moved from the source since it was admitted */
	int64_t moved_at;          /* clock_tick_ms */
	int64_t waits_since;       /* clock_tick_ms; since when it waits to be admitted */
	int64_t end;               /* end of the partition as last heard */
	int64_t gap;               /* offset that arrived in place of `next`; 0: none */
	bool reseek;               /* the consumer must seek to `next` again */
	atomic_ullong proven;      /* see lane_prove; 0: not since the lane was claimed */
	int others;                /* answers in a row that named another topic id */
	size_t counted, uncounted; /* bytes moved since it was admitted, as librdkafka counts */
	size_t messages;           /* and their number */
	bool held;           /* not admitted before its messages are done: see lane_is_heavy */
	bool unreadable;     /* not admitted again: lane_block */
	int starved;         /* consecutive checks that found messages in the log, received none */
	int64_t starved_end; /* the end that caused the last restart: only transaction markers
	                             may lie before it */
};

/* Which executor works on the lane, and when the next one may. */
struct lane_schedule {
	bool busy;          /* an executor has it */
	bool large;         /* busy, and first in a large batch */
	bool small;         /* busy in a batch of lanes with few commands */
	bool slow_runs;     /* busy in a batch of a slow lane */
	int64_t began;      /* clock_tick_ms when it became busy */
	bool slow;          /* its next command may need long: it runs alone, on one of the sessions
	                     that slow work may take */
	int64_t slow_since; /* clock_tick_ms; since when it waits for one of those */
	bool revoking;      /* runs no new batch; only a checkpoint writes what is left */
	size_t led;         /* number of the last batch in which it came first */
	int64_t retry_at;   /* clock_tick_ms; not before */
	int64_t not_before; /* clock_tick_ms; it begins no batch before: lanes_defer */
	int64_t first_at; /* clock_tick_ms when the first waiting message arrived, for the linger */
	int retries;      /* consecutive failures, for the backoff */
	bool outage;      /* the database failed the last work on it */
	int losses;       /* consecutive batches whose session broke */
};

struct lane_offsets {
	int64_t next, position, applied, answered;
	int64_t epoch;
	int64_t advanced_at; /* clock_tick_ms of the last write to the row */
};

/* A session broke under the lane's work. What broke it shows when a session works again. */
struct lane_loss {
	bool open;                                /* the server gave no reason of its own */
	bool silent;                              /* ... and none at all */
	bool running;                             /* the commands' results had not all arrived */
	bool counted;                             /* the row counts the run */
	int64_t server_started, server_recovered; /* struct db_life, when the session began */
};

/* Losses in a row that nobody can explain. */
struct lane_breaks {
	int count;
	int64_t since; /* clock_tick_ms of the first */
};

/* A command of this lane may have crashed a worker or a backend: each command runs alone, and
 * the row counts each run before it starts. */
struct lane_suspect {
	bool active;
	bool logged;    /* the log has named it since the lane was claimed */
	int64_t end;    /* the suspect command lies before this offset */
	int32_t claims; /* by workers that died meanwhile */
	int32_t losses; /* sessions that broke under the lane's commands, in a row */
	int64_t crash_offset;
	int32_t crash_count;       /* of the command there */
	struct lane_breaks broken; /* of the command there */
	struct lane_loss loss;     /* the last one */
};

/* Why a message keeps its lane from running a batch. */
enum lane_hold {
	HOLD_UNSENT,      /* the partition it goes to holds too many bytes */
	HOLD_DEAD_LETTER, /* Kafka does not take this dead letter now: the lane is stopped */
	HOLD_KINDS,
};

struct lane_replies {
	uint32_t generation; /* raised by lane_forget_replies: older acknowledgements are void */
	int64_t seq;         /* of the next outbox row */
	struct read_queue reads;       /* replies of reads that Kafka has not acknowledged */
	struct stored_replies *stored; /* outbox rows that Kafka has not acknowledged */
	size_t held[HOLD_KINDS];       /* messages that keep the lane from running a batch */
	int64_t *acked;                /* seqs of the outbox rows to delete */
	size_t acked_count, acked_size;
};

#define LANE_TOPIC_ID_SIZE 64

struct lane {
	char *topic;
	int32_t partition;
	char topic_id
		[LANE_TOPIC_ID_SIZE]; /* of the topic whose offsets were claimed; "": unknown */
	int references;
	enum lane_state state;
	const char *stopped; /* LANE_STOPPED: why, static */
	struct message_queue messages;
	size_t bytes; /* of the waiting messages */
	struct lane_fetch fetch;
	struct lane_schedule schedule;
	struct lane_offsets offsets;
	struct lane_suspect suspect;
	struct lane_replies replies;
};

struct lane *lane_new(const char *topic, int32_t partition);
/* Frees its waiting messages too. */
void lane_free(struct lane *lane);

void message_queue_push(struct message_queue *queue, rd_kafka_message_t *message);
/* Puts a message back to the front. */
void message_queue_unpop(struct message_queue *queue, rd_kafka_message_t *message);
rd_kafka_message_t *message_queue_pop(struct message_queue *queue); /* NULL if empty */
size_t message_queue_length(const struct message_queue *queue);

/* Approximate memory cost of a message in bytes, its key and headers included. */
size_t message_bytes(const rd_kafka_message_t *message);
/* The part that librdkafka does not count: key and headers. */
size_t message_uncounted_bytes(const rd_kafka_message_t *message);

/* Drops all waiting messages. */
void lane_clear(struct lane *lane);

/*
 * Returns true if the message at `offset` is the lane's next one. Offsets may be missing from a log
 * (compaction, transaction markers) or from what librdkafka delivers. So the lane believes a gap
 * only when the same message arrives again after a seek to `next`, which fetch.reseek asks for.
 */
bool lane_accepts(struct lane *lane, int64_t offset);

/* The partition ends at `offset` and has no message before it. The lane passes the offsets between
 * (transaction markers) when it hears of the same end twice, as for a gap. */
void lane_reached_end(struct lane *lane, int64_t offset);
/* Moves `position` to `next` if no message waits and no executor has the lane. */
void lane_pass_gap(struct lane *lane);

/* Called about once a second with the partition's end. Returns true, and sets fetch.reseek, if
 * `checks` consecutive calls found messages in the log and none arrived; once for each end. */
bool lane_looks_starved(struct lane *lane, int64_t end, int checks);

/* The replies that the lane owes. lane_read_sent expects ascending offsets. */
void lane_read_sent(struct lane *lane, int64_t offset);
void lane_read_answered(struct lane *lane, int64_t offset);
struct stored_replies *lane_replies_stored(struct lane *lane, int64_t seq, size_t count);
void lane_reply_acked(struct lane *lane, struct stored_replies *stored);
/* Starts a new generation: acknowledgements of older replies change nothing any more. */
void lane_forget_replies(struct lane *lane);

/* Does the lane wait for an operator? */
bool lane_is_stopped(const struct lane *lane);
/* May the lane run no batch, because of a message that it sent? */
bool lane_is_held(const struct lane *lane);

/* Lowest offset whose reply Kafka has not acknowledged: the value to write as `answered`. */
int64_t lane_answered(const struct lane *lane);
bool lane_replies_waiting(const struct lane *lane);

/* Must a checkpoint write the row (answered moved, or outbox rows can go)? */
bool lane_row_is_behind(const struct lane *lane);

#endif
