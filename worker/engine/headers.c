/* headers.c - see headers.h */
#include "worker/engine/headers.h"

#include <limits.h>
#include <string.h>

#define DIGITS_MAX 18

/* Decimal digits alone; false if it is anything else. */
static bool headers_read_number(struct header_text text, int64_t *number)
{
	if (text.size == 0 || text.size > DIGITS_MAX)
		return false;
	*number = 0;
	for (size_t i = 0; i < text.size; i++) {
		if (text.bytes[i] < '0' || text.bytes[i] > '9')
			return false;
		*number = *number * 10 + (text.bytes[i] - '0');
	}
	return true;
}

static bool headers_read_partition(struct header_text text, int32_t *partition)
{
	int64_t number;
	if (!headers_read_number(text, &number) || number > INT32_MAX)
		return false;
	*partition = (int32_t)number;
	return true;
}

/* NestJS sends up to four ASCII digits, Spring a 4-byte big-endian integer. Four bytes that are
 * all digits are NestJS's: as an integer they would be a partition above 800 million. */
static bool read_kafka_partition(struct header_text text, int32_t *partition)
{
	if (headers_read_partition(text, partition))
		return true;
	if (text.size != 4 || (text.bytes[0] & 0x80))
		return false;
	const unsigned char *b = (const unsigned char *)text.bytes;
	*partition = (int32_t)((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 |
		b[3]);
	return true;
}

static void read_header(struct headers *e, const char *name, struct header_text value)
{
	if (strcmp(name, "reply-to") == 0) {
		e->reply_to = value;
		e->kafka_names = false;
	} else if (strcmp(name, "correlation-id") == 0) {
		e->correlation_id = value;
	} else if (strcmp(name, "reply-partition") == 0) {
		if (!headers_read_partition(value, &e->reply_partition))
			e->wrong = "reply-partition";
	} else if (strcmp(name, "schema-name") == 0) {
		e->schema_name = value;
	} else if (strcmp(name, "traceparent") == 0) {
		e->traceparent = value;
	} else if (strcmp(name, "tracestate") == 0) {
		e->tracestate = value;
	} else if (strcmp(name, "deadline") == 0) {
		if (!headers_read_number(value, &e->deadline_ms))
			e->wrong = "deadline";
	}
}

/* The same three by Spring's and NestJS's names; ours win where both are there. */
static void read_kafka_header(struct headers *e, const char *name, struct header_text value,
	bool named)
{
	if (named)
		return;
	if (strcmp(name, "kafka_replyTopic") == 0) {
		e->reply_to = value;
		e->kafka_names = true;
	} else if (strcmp(name, "kafka_correlationId") == 0) {
		e->correlation_id = value;
	} else if (strcmp(name, "kafka_replyPartition") == 0) {
		if (!read_kafka_partition(value, &e->reply_partition))
			e->wrong = "kafka_replyPartition";
	}
}

void headers_read(const rd_kafka_message_t *message, struct headers *e)
{
	*e = (struct headers){ .reply_partition = -1 };
	rd_kafka_headers_t *headers;
	if (rd_kafka_message_headers(message, &headers))
		return;
	const void *ours;
	size_t ours_size;
	bool named = rd_kafka_header_get_last(headers, "reply-to", &ours, &ours_size) ==
		RD_KAFKA_RESP_ERR_NO_ERROR;
	const char *name;
	const void *value;
	size_t size;
	for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &size); i++) {
		struct header_text text = { value ? value : "", value ? size : 0 };
		read_header(e, name, text);
		read_kafka_header(e, name, text, named);
	}
}
