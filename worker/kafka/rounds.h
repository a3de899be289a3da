/*
 * rounds.h - messages to each partition, in rounds
 *
 * While a round of a partition is in flight, further messages to that partition are held and go as the
 * next round. A message that comes alone leaves at once; under load a round is usually one request to the
 * broker. Given message after message, an idempotent producer would send many small requests, and
 * librdkafka's broker thread spins while five are unacknowledged.
 *
 * A broker refuses a request as a whole. The messages of a refused round go again in smaller rounds, until
 * the message that the broker does not take stands alone. Then the order is not always kept: librdkafka may
 * send a round in several requests, of which the broker takes only the later ones. A round that fails for a
 * reason that can pass goes again later, one message first.
 *
 * Partitions do not wait for each other. A lane waits while a partition that it writes to holds too
 * many bytes.
 *
 * Any thread; the mutex is inside. A mutex of `struct lanes` may be taken within it, not the other way
 * round.
 */
#ifndef WORKER_KAFKA_ROUNDS_H
#define WORKER_KAFKA_ROUNDS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/kafka/partitioner.h"
#include "worker/kafka/sent.h"
#include "worker/lanes/lanes.h"

/* Instead of a partition's number. */
#define PARTITION_NOT_KNOWN (-1) /* messages with a key, before the topic's partitions are known */
#define PARTITION_ANY (-2)       /* messages without a key */

/* The error of a round that hears nothing from Kafka. */
#define SILENCE RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE

/* A topic to which messages go. */
struct destination {
	struct destination *next;
	char *topic;
	_Atomic int32_t partitions; /* 0: not known yet */
	struct round *rounds;
	bool dead_letters;
	struct round
		*exclusive; /* no other round may be in flight beside it; NULL: none needs that */
	size_t flying;      /* rounds in flight */
	size_t troubled;    /* rounds that fail, or hear nothing from Kafka */
	int64_t trouble_since;
	rd_kafka_resp_err_t trouble; /* the first error */
};

struct round {
	struct round *next; /* of the destination */
	struct destination *to;
	int32_t partition;
	struct round *next_active;
	bool active;               /* holds messages: it is in the list of such rounds */
	bool due;                  /* leaves as soon as it may */
	bool troubled;             /* it failed last time, or hears nothing from Kafka */
	bool refused;              /* the broker refused the round under way ... */
	bool too_large;            /* ... for its size */
	rd_kafka_resp_err_t error; /* a reason that can pass; 0: none */
	size_t in_flight, started; /* messages of the round under way */
	int64_t started_at;        /* clock_tick_ms */
	struct sent_list held, returned;
	size_t bytes;      /* of all its messages */
	size_t most, room; /* messages and bytes of the next round */
	unsigned good;     /* rounds of `room` bytes that the broker took */
	unsigned failures; /* consecutive */
	int64_t retry_at;  /* clock_tick_ms */
};

struct rounds {
	pthread_mutex_t mutex;
	struct lanes *lanes;
	struct destination *list;
	struct round *active, **active_end;
	size_t bytes; /* of all messages */
	uint64_t number;
	int64_t missing_ms; /* replies to a topic that stays missing are given up after this time */
	partitioner_fn *partition; /* NULL: random */
};

/* How a message ended. */
enum sent_outcome {
	OUTCOME_OVER,    /* Kafka has it, or never will */
	OUTCOME_REFUSED, /* the broker refused its round */
	OUTCOME_LATER,   /* for a reason that can pass */
	OUTCOME_AGAIN,   /* its client is gone, or was full: it goes again at once */
};

/* What the end of a round brings. */
struct round_news {
	struct sent_list start;    /* messages to send now; they are in flight already */
	struct sent_list dropped;  /* their lanes send them again, or are another worker's */
	struct sent_list given_up; /* replies to a topic that stayed missing */
	const char *topic;         /* of the trouble that began or is over */
	bool began, over;
	bool logged; /* of dead letters: the log names each partition that stops for them */
	rd_kafka_resp_err_t error;
	int64_t lasted_ms;
};

void rounds_init(struct rounds *rounds, struct lanes *lanes, int64_t missing_ms);
void rounds_free(struct rounds *rounds);

/* Holds the message for its partition's next round. */
void rounds_hold(struct rounds *rounds, struct sent *sent, const char *topic);

/* Starts all rounds that have held messages since `tick`, or are due, and have nothing in flight. */
void rounds_start(struct rounds *rounds, int64_t tick, struct round_news *news);
/* A message in flight ended. OUTCOME_OVER: it is no longer the rounds', who do not free it. Else it
 * goes again. `may_start`: the next round may follow. */
void rounds_end_one(struct rounds *rounds, struct sent *sent, enum sent_outcome outcome,
	rd_kafka_resp_err_t error, bool may_start, struct round_news *news);

/* The broker refused the message, which was in `partition` (-1: unknown). Was it alone in its request? If
 * that is not sure, it goes again with nothing beside it. */
bool rounds_sent_alone(struct rounds *rounds, const struct sent *sent, int32_t partition);
/* Looks for a round that has been in flight for too long, and makes that trouble: `news`. */
void rounds_look_for_silence(struct rounds *rounds, struct round_news *news);
/* Is a topic in trouble for lack of a right? If so, names it. */
bool rounds_lack_right(struct rounds *rounds, char *why, size_t size);
/* Removes and returns all held messages. */
struct sent_list rounds_drop(struct rounds *rounds);

#endif
