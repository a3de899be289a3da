/*
 * sent.h - a message on its way: the producer's copy, kept until Kafka has it or refuses it
 *
 * One block, from which librdkafka reads until the message ends.
 */
#ifndef WORKER_KAFKA_SENT_H
#define WORKER_KAFKA_SENT_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/kafka/delivery.h"
#include "worker/kafka/outgoing.h"

struct sent {
	struct sent *next;
	struct round *round;
	struct delivery delivery;
	uint64_t number; /* ascending: a message that goes again keeps its place */
	int64_t held_at; /* clock_tick_ms when the producer got it */
	bool dead_letter;
	bool waits;        /* its lane runs no batch until this message leaves: its topic is full */
	bool stops;        /* its lane is stopped until Kafka takes this dead letter */
	bool slim;         /* a dead letter that goes without its value */
	bool bare;         /* ... and without its key and its message's own headers */
	int32_t partition; /* -1: by the key */
	int64_t timestamp_ms;
	rd_kafka_headers_t *headers; /* NULL once librdkafka owns them */
	void *key, *value;           /* into `data`; NULL: none */
	size_t key_size, value_size;
	size_t bytes; /* of memory, and about as many in a request */
	char data[];
};

struct sent_list {
	struct sent *first, *last;
};

/* Copies the message. sent_free releases the copy, but not the delivery's lane. */
struct sent *sent_new(const struct outgoing *message, const struct delivery *delivery);
void sent_free(struct sent *sent);

/* Leaves the value of a dead letter out. A header says so. */
void sent_drop_value(struct sent *sent);
/* Leaves the key and the message's own headers out too, and cuts the texts of the others. Headers say so. It goes to
 * `partition`, to which its key brought it; -1: any. */
void sent_drop_key(struct sent *sent, int32_t partition);

void sent_append(struct sent_list *list, struct sent *sent);
/* Inserts the message by its number. */
void sent_insert(struct sent_list *list, struct sent *sent);
/* Removes and returns the first message; NULL: there is none. */
struct sent *sent_take(struct sent_list *list);
/* Moves all messages of `tail` to the end of `list`. */
void sent_join(struct sent_list *list, struct sent_list *tail);

#endif
