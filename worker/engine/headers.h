/*
 * headers.h - what a command's headers ask for
 *
 * Headers are strangers' input: a value that can't be what it should be is told in `wrong`, and
 * the command is not begun. Texts point into the message. Source: protocol.md, "Headers";
 * Spring Kafka's KafkaHeaders and NestJS's KafkaHeaders for the kafka_ names.
 */
#ifndef WORKER_ENGINE_HEADERS_H
#define WORKER_ENGINE_HEADERS_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct header_text {
	const char *bytes; /* NULL: the header is not there */
	size_t size;
};

struct headers {
	struct header_text reply_to;
	struct header_text correlation_id; /* opaque */
	int32_t reply_partition;           /* -1: by the key */
	bool kafka_names;                  /* asked by kafka_ headers: answered in their names */
	struct header_text schema_name;
	struct header_text traceparent;
	struct header_text tracestate;
	int64_t deadline_ms; /* 0: none */
	const char *wrong;   /* which header is not as it should be; NULL: none */
};

void headers_read(const rd_kafka_message_t *message, struct headers *headers);

#endif
