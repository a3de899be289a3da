/*
 * dlq_request.h - the command in a dead letter, which is Avro or JSON
 */
#ifndef WORKER_CLIENT_DLQ_REQUEST_H
#define WORKER_CLIENT_DLQ_REQUEST_H

#include <librdkafka/rdkafka.h>

#include "worker/client/codec.h"

/* Index of the message's command; -1 if its schema, or the command that its header names, is unknown. */
int dlq_command(const struct codec *codec, const rd_kafka_message_t *message);

/* The request as JSON, which the caller releases. NULL, with the reason in `why`, if it can't be decoded. */
json_t *dlq_request(const struct codec *codec, const rd_kafka_message_t *message,
	char why[CODEC_WHY_MAX]) __attribute__((warn_unused_result));

#endif
