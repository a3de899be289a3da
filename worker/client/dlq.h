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

/* A record with this header, and without the headers of a dead letter, is a mark: the dead letter at this
 * offset of the mark's partition was replayed. Both were sent in one transaction. */
#define DLQ_MARK "stowage-replayed-offset"
/* A replayed command says where it comes from: topic/partition/offset. */
#define DLQ_REPLAYED_FROM "stowage-replayed-from"

/* What dlq_walk calls, one partition after the other, in the order of offsets. Return false to stop. */
struct dlq_visitor {
	/* Before it reads the marks of a partition; may be NULL. */
	bool (*partition)(void *arg, const char *topic, int32_t partition);
	bool (*letter)(void *arg, const rd_kafka_message_t *message, bool replayed);
	void *arg;
};

/* Returns true if it read all dead letters or the visitor stopped it. On failure returns false and sets
 * *error. Dead letters that come after the call are left out. */
bool dlq_walk(const struct config *config, struct client *client, const struct dlq_range *range,
	const struct dlq_visitor *visitor, struct client_error *error)
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
