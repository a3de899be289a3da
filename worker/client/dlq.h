/*
 * dlq.h - reading dead-letter topics
 *
 * One thread; blocking.
 */
#ifndef WORKER_CLIENT_DLQ_H
#define WORKER_CLIENT_DLQ_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "worker/client/client.h"
#include "worker/kafka/topic_create.h"

#define DLQ_SUFFIX TOPIC_DEAD_LETTERS
/* Headers that tell why, beside the original ones. */
#define DLQ_CONTEXT "__connect.errors."

/* What to read. */
struct dlq_range {
	const char
		*topic; /* the command topic or its dead-letter topic; NULL: every one there is */
	int32_t partition; /* -1: all */
	int64_t from;      /* offset; -1: the first */
	int64_t to;        /* last offset; -1: the last there was when the walk began */
	int64_t limit;     /* most messages; -1: none */
};

/* Called for each dead letter, partition by partition, in the order of offsets. False ends the
 * walk. */
typedef bool dlq_each_fn(void *arg, const rd_kafka_message_t *message);

/* True if all were read, or `each` ended it; false: *error says why. */
bool dlq_walk(const struct config *config, struct client *client, const struct dlq_range *range,
	dlq_each_fn *each, void *arg, struct client_error *error)
	__attribute__((warn_unused_result));

/* A header's value as text (free it), NULL if there is none. */
char *dlq_header(const rd_kafka_message_t *message, const char *name);
/* The same as a number, -1 if it is none. */
int64_t dlq_header_number(const rd_kafka_message_t *message, const char *name);

/* Strangers' text: what could steer a terminal is written as \xNN. */
void dlq_print_text(const char *text, size_t size);

#endif
