/*
 * rounds.h - messages to each topic, in rounds of one request
 *
 * While a round of a topic is in flight, further messages to that topic are held and go as the next
 * round. A message that comes alone leaves at once; under load a round is one request to the
 * broker. Given message after message, an idempotent producer would send many small requests, and
 * librdkafka's broker thread spins while five are unacknowledged.
 *
 * Any thread; the mutex is inside.
 */
#ifndef WORKER_KAFKA_ROUNDS_H
#define WORKER_KAFKA_ROUNDS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/kafka/delivery.h"
#include "worker/kafka/outgoing.h"

/* A message that waits for its round or is in flight: one block, from which librdkafka reads until
 * the message is delivered. */
struct sent {
	struct sent *next;
	struct round *round;
	struct delivery delivery;
	bool dead_letter;
	int32_t partition;
	int64_t timestamp_ms;
	rd_kafka_headers_t *headers; /* NULL once librdkafka owns them */
	void *key, *value;           /* into `bytes`; NULL: none */
	size_t key_size, value_size;
	char bytes[];
};

struct round {
	struct round *next;
	char *topic;
	size_t in_flight;
	struct sent *held, **held_end;
	int64_t held_since; /* clock_tick_ms, of the first one held */
	bool due;           /* leaves as soon as nothing is in flight */
};

struct rounds {
	pthread_mutex_t mutex;
	struct round *list;
	size_t held_bytes;
};

/* Copies the message. sent_free releases the copy, but not the delivery's lane. */
struct sent *sent_new(const struct outgoing *message, const struct delivery *delivery);
void sent_free(struct sent *sent);

void rounds_init(struct rounds *rounds);
void rounds_free(struct rounds *rounds);

/* Holds the message for its topic's next round. Returns true if senders should wait. */
bool rounds_hold(struct rounds *rounds, struct sent *sent, const char *topic);
/* Do the held messages still exceed the bound? */
bool rounds_are_full(struct rounds *rounds);

/* Starts the next round that has been held since `tick` or is due, from *at on (NULL: the first).
 * Returns its messages as a list, now in flight; NULL: there is none. A round that still has
 * messages in flight becomes due instead. */
struct sent *rounds_start(struct rounds *rounds, struct round **at, int64_t tick);
/* One message of the round ended. Returns the next round's messages, as above, if it was the last
 * one; `may_start` false: returns NULL. */
struct sent *rounds_end_one(struct rounds *rounds, struct round *round, bool may_start);
/* librdkafka's queue is full: these messages of one round wait for the next one. */
void rounds_hold_again(struct rounds *rounds, struct sent *first);
/* Removes and returns all held messages as a list. */
struct sent *rounds_drop(struct rounds *rounds);

#endif
