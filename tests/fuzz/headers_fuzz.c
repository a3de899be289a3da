/*
 * headers_fuzz.c - arbitrary headers of a command: each is read as its kind or is named as wrong
 *
 * The input is a list of headers: a byte that chooses a name, a byte with the value's length (255: a null
 * value), the value. A name of its own follows where the first byte chooses none.
 */
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "tests/fuzz/fuzz.h"
#include "worker/engine/headers.h"

#define NULL_VALUE 255

static rd_kafka_headers_t *given;

rd_kafka_resp_err_t __wrap_rd_kafka_message_headers(const rd_kafka_message_t *message,
	rd_kafka_headers_t **found);

/* The linker puts it in place of librdkafka's, whose messages only a broker makes. */
rd_kafka_resp_err_t __wrap_rd_kafka_message_headers(const rd_kafka_message_t *message,
	rd_kafka_headers_t **found)
{
	(void)message;
	*found = given;
	return given ? RD_KAFKA_RESP_ERR_NO_ERROR : RD_KAFKA_RESP_ERR__NOENT;
}

static const char *const names[] = { "reply-to", "correlation-id", "reply-partition",
	"kafka_replyTopic", "kafka_correlationId", "kafka_replyPartition", "schema-name",
	"deadline", "idempotency-key", "ce_source", "ce_id", "traceparent", "tracestate", "command",
	"content-type" };

#define NAME_COUNT (sizeof(names) / sizeof(names[0]))

static rd_kafka_headers_t *headers_of(const uint8_t *bytes, size_t size)
{
	rd_kafka_headers_t *made = rd_kafka_headers_new(4);
	const uint8_t *at = bytes, *end = bytes + size;
	while (end - at >= 2) {
		size_t choice = *at++, length = *at++;
		bool null = length == NULL_VALUE;
		if (null)
			length = 0;
		if (length > (size_t)(end - at))
			length = (size_t)(end - at);
		if (choice < NAME_COUNT)
			rd_kafka_header_add(made, names[choice], -1, null ? NULL : at,
				(ssize_t)length);
		else
			rd_kafka_header_add(made, (const char *)at, (ssize_t)length, "value", 5);
		at += length;
	}
	return made;
}

static size_t seen;

/* Reads each byte, so that a text beyond its header is an overrun. */
static void look(void *arg, const char *name, struct header_text value)
{
	(void)arg;
	seen += strlen(name);
	for (size_t i = 0; i < value.size; i++)
		seen += (unsigned char)value.bytes[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct headers headers;
	const rd_kafka_message_t message = { 0 };
	given = size % 16 == 15 ? NULL : headers_of(bytes, size);
	headers_read(&message, 256, &headers);
	headers_echo(&headers, look, NULL);
	look(NULL, headers.wrong ? headers.wrong : "", headers.reply_to);
	look(NULL, "", headers.schema_name);
	if (headers.reply_partition < -1)
		fuzz_stop("headers_read", "a negative partition");
	if (given)
		rd_kafka_headers_destroy(given);
	return 0;
}
