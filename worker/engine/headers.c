/* headers.c - reads a command's headers by a table of names */
#include "worker/engine/headers.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

#include "schemas/base/utf8.h"

#define DIGITS_MAX 18

/* --- readers: false if the value is not what the header allows --- */

static bool header_read_text(struct header_text value, void *field)
{
	*(struct header_text *)field = value;
	return true;
}

/* An empty value counts as absent. */
static bool header_read_event(struct header_text value, void *field)
{
	if (value.size == 0)
		return true;
	return value.size <= HEADER_KEY_MAX &&
		unicode_check(value.bytes, value.size) == UNICODE_VALID &&
		header_read_text(value, field);
}

static bool header_read_key(struct header_text value, void *field)
{
	return value.size > 0 && header_read_event(value, field);
}

/* The media type, without its parameters: "application/json; charset=utf-8". */
static bool header_read_content_type(struct header_text value, void *field)
{
	size_t size = strlen(JSON_MEDIA_TYPE);
	*(bool *)field = value.size >= size &&
		strncasecmp(value.bytes, JSON_MEDIA_TYPE, size) == 0 &&
		(value.size == size || value.bytes[size] == ';' || value.bytes[size] == ' ');
	return true;
}

/* Decimal digits only. */
static bool header_read_number(struct header_text value, void *field)
{
	int64_t number = 0;
	if (value.size == 0 || value.size > DIGITS_MAX)
		return false;
	for (size_t i = 0; i < value.size; i++) {
		if (value.bytes[i] < '0' || value.bytes[i] > '9')
			return false;
		number = number * 10 + (value.bytes[i] - '0');
	}
	*(int64_t *)field = number;
	return true;
}

static bool header_read_partition(struct header_text value, void *field)
{
	int64_t number;
	if (!header_read_number(value, &number) || number > INT32_MAX)
		return false;
	*(int32_t *)field = (int32_t)number;
	return true;
}

/* NestJS sends up to four ASCII digits, Spring a 4-byte big-endian integer. Four bytes that are all
 * digits come from NestJS: as an integer they would name a partition above 800 million. */
static bool header_read_kafka_partition(struct header_text value, void *field)
{
	if (header_read_partition(value, field))
		return true;
	if (value.size != 4 || (value.bytes[0] & 0x80))
		return false;
	const unsigned char *b = (const unsigned char *)value.bytes;
	*(int32_t *)field = (int32_t)((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
		(uint32_t)b[2] << 8 | b[3]);
	return true;
}

/* --- the table --- */

enum header_echo {
	ECHO_NO,
	ECHO_YES,
	ECHO_KAFKA, /* only to a client that asked with kafka_ names */
};

/* Where a name of Kafka frameworks and ours stand for the same field, ours wins. */
static const struct header_def {
	const char *name;
	size_t field;
	bool (*read)(struct header_text value, void *field);
	enum header_echo echo;
	bool kafka;    /* a framework's name: ignored where reply-to is there */
	bool reply_to; /* decides in whose names the reply answers */
} header_defs[] = {
#define FIELD(member) offsetof(struct headers, member)
	{ "reply-to", FIELD(reply_to), header_read_text, ECHO_NO, false, true },
	{ "correlation-id", FIELD(correlation_id), header_read_text, ECHO_YES, false, false },
	{ "reply-partition", FIELD(reply_partition), header_read_partition, ECHO_NO, false, false },
	{ "kafka_replyTopic", FIELD(reply_to), header_read_text, ECHO_NO, true, true },
	{ "kafka_correlationId", FIELD(correlation_id), header_read_text, ECHO_KAFKA, true, false },
	{ "kafka_replyPartition", FIELD(reply_partition), header_read_kafka_partition, ECHO_NO,
		true, false },
	{ "schema-name", FIELD(schema_name), header_read_text, ECHO_NO, false, false },
	{ "traceparent", FIELD(traceparent), header_read_text, ECHO_YES, false, false },
	{ "tracestate", FIELD(tracestate), header_read_text, ECHO_YES, false, false },
	{ "idempotency-key", FIELD(idempotency_key), header_read_key, ECHO_NO, false, false },
	{ "ce_source", FIELD(event_source), header_read_event, ECHO_NO, false, false },
	{ "ce_id", FIELD(event_id), header_read_event, ECHO_NO, false, false },
	{ "command", FIELD(command), header_read_text, ECHO_NO, false, false },
	{ "content-type", FIELD(json), header_read_content_type, ECHO_NO, false, false },
	{ "deadline", FIELD(deadline_ms), header_read_number, ECHO_NO, false, false },
#undef FIELD
};

#define HEADER_COUNT (sizeof(header_defs) / sizeof(header_defs[0]))

static void read_header(struct headers *headers, const char *name, struct header_text value,
	bool has_reply_to)
{
	for (size_t i = 0; i < HEADER_COUNT; i++) {
		const struct header_def *def = &header_defs[i];
		if (strcmp(name, def->name) != 0)
			continue;
		if (def->kafka && has_reply_to)
			return;
		if (!def->read(value, (char *)headers + def->field))
			headers->wrong = def->name;
		if (def->reply_to)
			headers->kafka_names = def->kafka;
		return;
	}
}

/* A header with a null value counts as absent. */
static bool headers_have(const rd_kafka_headers_t *given, size_t most, const char *name)
{
	const void *value;
	size_t size;
	for (size_t i = 0; i < most && !rd_kafka_header_get(given, i, name, &value, &size); i++)
		if (value)
			return true;
	return false;
}

void headers_read(const rd_kafka_message_t *message, size_t most, struct headers *headers)
{
	*headers = (struct headers){ .reply_partition = -1 };
	rd_kafka_headers_t *given;
	if (rd_kafka_message_headers(message, &given))
		return;
	const char *name;
	const void *value;
	size_t size;
	bool has_reply_to = headers_have(given, most, "reply-to");
	for (; !rd_kafka_header_get_all(given, headers->count, &name, &value, &size);
		headers->count++) {
		headers->bytes += strlen(name) + size;
		if (value && headers->count < most)
			read_header(headers, name, (struct header_text){ value, size },
				has_reply_to);
	}
}

void headers_echo(const struct headers *headers, headers_echo_fn *each, void *arg)
{
	for (size_t i = 0; i < HEADER_COUNT; i++) {
		const struct header_def *def = &header_defs[i];
		if (def->echo == ECHO_NO || (def->echo == ECHO_KAFKA && !headers->kafka_names))
			continue;
		struct header_text value =
			*(const struct header_text *)(const void *)((const char *)headers +
				def->field);
		if (value.bytes)
			each(arg, def->name, value);
	}
}
