/* outgoing.c - the stored form of replies and dead letters: writes and reads it */
#include "worker/kafka/outgoing.h"

#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"

/* The first byte of each message: the format's version. */
#define OUTGOING_VERSION 1
#define NULL_SIZE UINT32_MAX

static void outgoing_add_number(struct buffer *buffer, uint32_t number)
{
	unsigned char wire[4] = { (unsigned char)(number >> 24), (unsigned char)(number >> 16),
		(unsigned char)(number >> 8), (unsigned char)number };
	buffer_add(buffer, wire, sizeof(wire));
}

static void add_bytes(struct buffer *buffer, const void *bytes, size_t size)
{
	outgoing_add_number(buffer, bytes ? (uint32_t)size : NULL_SIZE);
	if (bytes)
		buffer_add(buffer, bytes, size);
}

/* Includes the NUL, so that the reader can hand the name out in place. */
static void add_name(struct buffer *buffer, const char *name)
{
	add_bytes(buffer, name, strlen(name) + 1);
}

void outgoing_write(struct buffer *buffer, const struct outgoing *message)
{
	unsigned char start[2] = { OUTGOING_VERSION, message->dead_letter };
	buffer_add(buffer, start, sizeof(start));
	add_name(buffer, message->topic);
	outgoing_add_number(buffer, (uint32_t)message->partition);
	outgoing_add_number(buffer, (uint32_t)((uint64_t)message->timestamp_ms >> 32));
	outgoing_add_number(buffer, (uint32_t)message->timestamp_ms);
	add_bytes(buffer, message->key, message->key_size);
	add_bytes(buffer, message->value, message->value_size);
	outgoing_add_number(buffer, (uint32_t)message->header_count);
	for (size_t i = 0; i < message->header_count; i++) {
		add_name(buffer, message->headers[i].name);
		add_bytes(buffer, message->headers[i].value, message->headers[i].size);
	}
}

void outgoing_reader_start(struct outgoing_reader *reader, const void *payload, size_t size)
{
	const char *bytes = payload;
	*reader = (struct outgoing_reader){ .at = bytes, .end = bytes + size };
}

void outgoing_reader_end(struct outgoing_reader *reader)
{
	free(reader->headers);
	reader->headers = NULL;
}

/* The readers below set `bad`, and return nothing once they would pass the end. */
static const void *outgoing_take(struct outgoing_reader *reader, size_t size)
{
	if (reader->bad || (size_t)(reader->end - reader->at) < size) {
		reader->bad = true;
		return NULL;
	}
	const void *bytes = reader->at;
	reader->at += size;
	return bytes;
}

static uint32_t take_number(struct outgoing_reader *reader)
{
	const unsigned char *wire = outgoing_take(reader, 4);
	if (!wire)
		return 0;
	return (uint32_t)wire[0] << 24 | (uint32_t)wire[1] << 16 | (uint32_t)wire[2] << 8 | wire[3];
}

static const void *take_bytes(struct outgoing_reader *reader, size_t *size)
{
	uint32_t length = take_number(reader);
	*size = 0;
	if (reader->bad || length == NULL_SIZE)
		return NULL;
	const void *bytes = outgoing_take(reader, length);
	*size = reader->bad ? 0 : length;
	return bytes;
}

static const char *take_name(struct outgoing_reader *reader)
{
	size_t size;
	const char *name = take_bytes(reader, &size);
	if (!name || size == 0 || name[size - 1] != '\0') {
		reader->bad = true;
		return "";
	}
	return name;
}

static void take_headers(struct outgoing_reader *reader, struct outgoing *message)
{
	size_t count = take_number(reader);
	/* Each header has at least two lengths: a payload that claims more headers is not one of
	 * ours. */
	if (reader->bad || count > (size_t)(reader->end - reader->at) / 8) {
		reader->bad = true;
		return;
	}
	if (count > reader->header_size) {
		reader->headers = alloc_grow(reader->headers, count, sizeof(*reader->headers));
		reader->header_size = count;
	}
	message->headers = reader->headers;
	message->header_count = count;
	for (size_t i = 0; i < count; i++) {
		reader->headers[i].name = take_name(reader);
		reader->headers[i].value = take_bytes(reader, &reader->headers[i].size);
	}
}

bool outgoing_read(struct outgoing_reader *reader, struct outgoing *message)
{
	if (reader->bad || reader->at == reader->end)
		return false;
	const unsigned char *start = outgoing_take(reader, 2);
	if (!start || start[0] != OUTGOING_VERSION) {
		reader->bad = true;
		return false;
	}
	*message = (struct outgoing){ .dead_letter = start[1] != 0 };
	message->topic = take_name(reader);
	message->partition = (int32_t)take_number(reader);
	uint64_t high = take_number(reader);
	message->timestamp_ms = (int64_t)(high << 32 | take_number(reader));
	message->key = take_bytes(reader, &message->key_size);
	message->value = take_bytes(reader, &message->value_size);
	take_headers(reader, message);
	return !reader->bad;
}

size_t outgoing_each(const void *payload, size_t size, outgoing_each_fn *each, void *arg, bool *bad)
{
	struct outgoing_reader reader;
	struct outgoing message;
	size_t count = 0;
	outgoing_reader_start(&reader, payload, size);
	for (; outgoing_read(&reader, &message); count++)
		if (each)
			each(arg, &message);
	*bad = reader.bad;
	outgoing_reader_end(&reader);
	return count;
}
