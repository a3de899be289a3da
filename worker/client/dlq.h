/*
 * dlq.h - reads dead-letter topics
 *
 * One thread. Blocking.
 */
#ifndef WORKER_CLIENT_DLQ_H
#define WORKER_CLIENT_DLQ_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "worker/client/client.h"
#include "worker/kafka/outgoing.h"
#include "worker/kafka/topic_create.h"

#define DLQ_SUFFIX TOPIC_DEAD_LETTERS
/* Prefix of the headers that describe the failure. A dead letter has them in addition to its
 * original headers. */
#define DLQ_CONTEXT DEAD_LETTER_CONTEXT

/* Which dead letters to read. */
struct dlq_range {
	const char *topic; /* the command topic or its dead-letter topic; NULL: all */
	int32_t partition; /* -1: all */
	int64_t from;      /* first offset; -1: the start of the log */
	int64_t to;        /* last offset; -1: the last one when dlq_walk is called */
	int64_t limit;     /* maximum number of messages; -1: none */
};

/* dlq_walk calls this for each dead letter, one partition after the other, in the order of offsets.
 * Return false to stop. */
typedef bool dlq_each_fn(void *arg, const rd_kafka_message_t *message);

/* Returns true if it read all dead letters or `each` stopped it. On failure returns false and sets
 * *error. */
bool dlq_walk(const struct config *config, struct client *client, const struct dlq_range *range,
	dlq_each_fn *each, void *arg, struct client_error *error)
	__attribute__((warn_unused_result));

/* A header's value as text, which the caller frees; NULL if there is none. */
char *dlq_header(const rd_kafka_message_t *message, const char *name);
/* A header's value as a number, -1 if it is not one. */
int64_t dlq_header_number(const rd_kafka_message_t *message, const char *name);

/* Returns the time of the original message, in milliseconds since 1970. */
int64_t dlq_timestamp(const rd_kafka_message_t *message);

/* Prints untrusted text to standard output, with control characters as \xNN. */
void dlq_print_text(const char *text, size_t size);

#endif
