/*
 * dlq_original.h - the message that a dead letter without its value stands for
 *
 * A dead letter that is too large for its topic goes without its value. Its headers say where the command's
 * topic has the original message: worker/kafka/outgoing.h.
 */
#ifndef WORKER_CLIENT_DLQ_ORIGINAL_H
#define WORKER_CLIENT_DLQ_ORIGINAL_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#include "worker/client/client.h"

enum dlq_original {
	DLQ_ORIGINAL_FOUND,
	DLQ_ORIGINAL_GONE,   /* the topic has no message there, or a different one */
	DLQ_ORIGINAL_FAILED, /* Kafka does not say; *error says why */
};

/* Did the dead letter go without its value? */
bool dlq_original_needed(const rd_kafka_message_t *letter);

/* Reads the original message, and compares its key, sizes and timestamp with what the dead letter says.
 * `client` asks for the topic; `reader` is a client_reader_new that nothing else uses meanwhile. If the
 * message is found, the caller destroys *original. Blocks up to about 10 s. One thread. */
enum dlq_original dlq_original_read(const struct client *client, rd_kafka_t *reader,
	const rd_kafka_message_t *letter, rd_kafka_message_t **original, struct client_error *error)
	__attribute__((warn_unused_result));

#endif
