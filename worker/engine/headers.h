/*
 * headers.h - what a command's headers ask for, and which of them its reply repeats
 *
 * Headers are input from strangers. A value that is not what its header allows sets `wrong`, and
 * the command never begins. Texts point into the message.
 * Source: protocol.md, "Headers"; Spring Kafka's KafkaHeaders and NestJS's KafkaHeaders for the
 * names that begin with kafka_. Threads: pure functions.
 */
#ifndef WORKER_ENGINE_HEADERS_H
#define WORKER_ENGINE_HEADERS_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest idempotency key, ce_source and ce_id, in bytes. */
#define HEADER_KEY_MAX 1024

#define JSON_MEDIA_TYPE "application/json"

struct header_text {
	const char *bytes; /* NULL: the header is absent */
	size_t size;
};

struct headers {
	struct header_text reply_to;
	struct header_text correlation_id; /* opaque bytes */
	struct header_text schema_name;
	struct header_text traceparent;
	struct header_text tracestate;
	struct header_text idempotency_key; /* 1 to HEADER_KEY_MAX bytes of UTF-8 without NUL */
	struct header_text event_source;    /* CloudEvents' ce_source and ce_id, alike */
	struct header_text event_id;
	struct header_text command; /* of a request in JSON */
	bool json;                  /* content-type: application/json */
	int32_t reply_partition;    /* -1: by the key */
	bool kafka_names;           /* asked with kafka_ names: the reply answers in them too */
	int64_t deadline_ms;        /* 0: none */
	const char *wrong;          /* the header whose value is not allowed; NULL: none */
	size_t count;               /* of all headers */
	size_t bytes;               /* of all names and values */
};

/* Counts all headers and reads the first `most` of them. */
void headers_read(const rd_kafka_message_t *message, size_t most, struct headers *headers);

/* Calls `each` for every header that a reply repeats, in the table's order, under its own name. */
typedef void headers_echo_fn(void *arg, const char *name, struct header_text value);
void headers_echo(const struct headers *headers, headers_echo_fn *each, void *arg);

#endif
