/*
 * outgoing.h - a message to produce: a reply or a dead letter, and its stored form
 *
 * The outbox stores messages that must survive a crash: one payload holds all messages of a batch
 * and lane in our own format (outgoing_write, outgoing_each). Its first byte is a version, so that
 * a worker after an upgrade reads what the previous one left.
 */
#ifndef WORKER_KAFKA_OUTGOING_H
#define WORKER_KAFKA_OUTGOING_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schemas/base/buffer.h"

/* Headers that a dead letter has beside its original ones. Kafka Connect writes most of them; the others
 * have its prefix too, so that a replay leaves them all out. */
#define DEAD_LETTER_CONTEXT "__connect.errors."
/* The original timestamp in milliseconds since 1970. The dead letter's own timestamp is the time at
 * which it was sent: retention would delete a record with an old timestamp at once. */
#define DEAD_LETTER_TIMESTAMP DEAD_LETTER_CONTEXT "timestamp"
/* The size in bytes of the value, which is missing: the topic refused the dead letter with it. The original
 * message still has it, at the topic, partition and offset that other headers name. */
#define DEAD_LETTER_OMITTED DEAD_LETTER_CONTEXT "value.omitted"
/* If the topic refused it even so: the size in bytes of the key, and of the names and values of the message's own
 * headers, which are missing too. */
#define DEAD_LETTER_KEY_OMITTED DEAD_LETTER_CONTEXT "key.omitted"
#define DEAD_LETTER_HEADERS_OMITTED DEAD_LETTER_CONTEXT "headers.omitted"
/* The names of the headers that such a dead letter still has. */
#define DEAD_LETTER_KEPT \
	DEAD_LETTER_CONTEXT "topic", DEAD_LETTER_CONTEXT "partition", \
		DEAD_LETTER_CONTEXT "offset", DEAD_LETTER_CONTEXT "connector.name", \
		DEAD_LETTER_CONTEXT "stage", DEAD_LETTER_TIMESTAMP, \
		DEAD_LETTER_CONTEXT "exception.class.name", \
		DEAD_LETTER_CONTEXT "exception.message", DEAD_LETTER_OMITTED

struct outgoing_header {
	const char *name;  /* NUL-terminated */
	const void *value; /* NULL: a null value */
	size_t size;
};

struct outgoing {
	const char *topic; /* NUL-terminated */
	int32_t partition; /* -1: by the key */
	bool dead_letter;
	const void *key; /* NULL: none */
	size_t key_size;
	const void *value; /* NULL: a null value (a tombstone in a dead letter) */
	size_t value_size;
	int64_t timestamp_ms; /* 0: now */
	struct outgoing_header *headers;
	size_t header_count;
};

/* Appends the message. The buffer must have no maximum. */
void outgoing_write(struct buffer *buffer, const struct outgoing *message);

/* Reads a payload message by message. Texts point into the payload; headers live in the reader
 * until the next call. */
struct outgoing_reader {
	const char *at, *end;
	bool bad; /* it is not one of ours, or cut short */
	struct outgoing_header *headers;
	size_t header_size;
};
void outgoing_reader_start(struct outgoing_reader *reader, const void *payload, size_t size);
bool outgoing_read(struct outgoing_reader *reader, struct outgoing *message);
void outgoing_reader_end(struct outgoing_reader *reader);

/* Calls `each` (may be NULL) for every message of a payload. Returns their number; *bad: the
 * payload is not one of ours, or is cut short, and the rest was left out. */
typedef void outgoing_each_fn(void *arg, const struct outgoing *message);
size_t outgoing_each(const void *payload, size_t size, outgoing_each_fn *each, void *arg,
	bool *bad);

#endif
