/*
 * dlq.c - reads dead-letter topics
 */
#include "worker/client/dlq.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "schemas/base/utf8.h"
#include "worker/kafka/topic_match.h"

#define METADATA_TIMEOUT_MS 10000
#define POLL_TIMEOUT_MS 10000

/* Offsets of replayed dead letters. */
struct marks {
	int64_t *offsets;
	size_t count, size;
};

struct walk {
	struct client_error *error;
	struct client *client;
	rd_kafka_t *reader;
	const struct dlq_range *range;
	const struct dlq_visitor *visitor;
	struct marks marks; /* of the partition that it reads */
	int64_t left;       /* remaining dead letters of the limit, -1: no limit */
	bool ended;         /* the visitor or the limit stopped the walk */
};

/* Returns the offset of a mark, -1 for a dead letter. */
static int64_t mark_offset(const rd_kafka_message_t *message)
{
	char *topic = dlq_header(message, DLQ_CONTEXT "topic");
	int64_t offset = topic ? -1 : dlq_header_number(message, DLQ_MARK);

	free(topic);
	return offset;
}

static bool dlq_collect_mark(struct walk *walk, const rd_kafka_message_t *message)
{
	struct marks *marks = &walk->marks;
	int64_t offset = mark_offset(message);

	if (offset < 0)
		return true;
	if (marks->count == marks->size) {
		marks->size = marks->size ? marks->size * 2 : 64;
		marks->offsets = alloc_grow(marks->offsets, marks->size, sizeof(*marks->offsets));
	}
	marks->offsets[marks->count++] = offset;
	return true;
}

static int compare_offsets(const void *one, const void *other)
{
	int64_t a, b;

	memcpy(&a, one, sizeof(a));
	memcpy(&b, other, sizeof(b));
	return (a > b) - (a < b);
}

static bool is_marked(const struct marks *marks, int64_t offset)
{
	return marks->count > 0 &&
		bsearch(&offset, marks->offsets, marks->count, sizeof(offset), compare_offsets);
}

static bool dlq_give(struct walk *walk, const rd_kafka_message_t *message)
{
	if (mark_offset(message) >= 0)
		return true;
	walk->ended = !walk->visitor->letter(walk->visitor->arg, message,
		is_marked(&walk->marks, message->offset));
	if (walk->left > 0)
		walk->left--;
	walk->ended = walk->ended || walk->left == 0;
	return !walk->ended;
}

typedef bool dlq_read_fn(struct walk *walk, const rd_kafka_message_t *message);

/* Reads up to offset `end`. If the log has a gap there, the partition's end stops the loop. */
static bool dlq_read_partition(struct walk *walk, const char *topic, int32_t partition, int64_t end,
	dlq_read_fn *each)
{
	bool more = true, ok = true;

	while (more) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(walk->reader, POLL_TIMEOUT_MS);

		if (!message ||
			(message->err && message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)) {
			client_error_set(walk->error, NULL, "cannot read %s [%d]: %s", topic,
				partition,
				message ? rd_kafka_message_errstr(message)
					: "the broker did not answer");
			more = ok = false;
		} else if (message->err || message->offset > end) {
			more = false;
		} else {
			more = each(walk, message) && message->offset < end;
		}
		if (message)
			rd_kafka_message_destroy(message);
	}
	return ok;
}

/* The part of a partition that is in the range; empty if from > to. */
struct span {
	int64_t from, to;
};

static bool find_span(const struct walk *walk, const char *topic, int32_t partition,
	struct span *span)
{
	const struct dlq_range *range = walk->range;
	int64_t low, high;

	*span = (struct span){ 0, -1 };
	if (range->partition >= 0 && range->partition != partition)
		return true;
	if (!client_watermarks(client_handle(walk->client), topic, partition, &low, &high,
		    walk->error->text))
		return false;
	span->from = range->from > low ? range->from : low;
	span->to = range->to >= 0 && range->to < high - 1 ? range->to : high - 1;
	return true;
}

/* Marks stand behind their dead letters. */
static bool read_marks(struct walk *walk, const char *topic, int32_t partition, int64_t from)
{
	int64_t low, high;
	bool ok = client_watermarks(client_handle(walk->client), topic, partition, &low, &high,
		walk->error->text);

	walk->marks.count = 0;
	if (!ok || from >= high)
		return ok;
	ok = client_reader_from(walk->reader, topic, partition, from, walk->error->text) &&
		dlq_read_partition(walk, topic, partition, high - 1, dlq_collect_mark);
	if (walk->marks.count > 0)
		qsort(walk->marks.offsets, walk->marks.count, sizeof(*walk->marks.offsets),
			compare_offsets);
	return ok;
}

static bool walk_partition(struct walk *walk, const char *topic, int32_t partition,
	const struct span *span)
{
	const struct dlq_visitor *visitor = walk->visitor;

	if (span->from > span->to)
		return true;
	if (visitor->partition && !visitor->partition(visitor->arg, topic, partition)) {
		walk->ended = true;
		return true;
	}
	return read_marks(walk, topic, partition, span->from) &&
		client_reader_from(walk->reader, topic, partition, span->from, walk->error->text) &&
		dlq_read_partition(walk, topic, partition, span->to, dlq_give);
}

/* Looks up all ends first, because replayed messages may become dead letters again meanwhile. */
static bool walk_topic(struct walk *walk, const char *topic, int32_t partitions)
{
	struct span *spans = alloc_zero((size_t)partitions, sizeof(*spans));
	bool ok = walk->range->partition < partitions;

	if (!ok)
		client_error_set(walk->error, NULL, "%s has no partition %d", topic,
			walk->range->partition);
	for (int32_t p = 0; ok && p < partitions; p++)
		ok = find_span(walk, topic, p, &spans[p]);
	for (int32_t p = 0; ok && !walk->ended && p < partitions; p++)
		ok = walk_partition(walk, topic, p, &spans[p]);
	free(spans);
	return ok;
}

static bool walk_named(struct walk *walk)
{
	const char *given = walk->range->topic;
	char *topic = topic_match_dead_letters(given) ? alloc_copy(given)
						      : alloc_printf("%s" DLQ_SUFFIX, given);
	int32_t partitions = 0;
	bool ok = topics_lookup(client_topics(walk->client), topic, strlen(topic), &partitions) ==
		TOPIC_THERE;

	if (ok)
		ok = walk_topic(walk, topic, partitions);
	else
		client_error_set(walk->error, NULL, "topic %s does not exist", topic);
	free(topic);
	return ok;
}

static bool walk_all(struct walk *walk)
{
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t code = rd_kafka_metadata(client_handle(walk->client), 1, NULL,
		&metadata, METADATA_TIMEOUT_MS);
	bool ok = true;

	if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
		client_error_set(walk->error, NULL, "cannot list topics: %s",
			rd_kafka_err2str(code));
		return false;
	}
	for (int i = 0; ok && !walk->ended && i < metadata->topic_cnt; i++)
		if (topic_match_dead_letters(metadata->topics[i].topic))
			ok = walk_topic(walk, metadata->topics[i].topic,
				metadata->topics[i].partition_cnt);
	rd_kafka_metadata_destroy(metadata);
	return ok;
}

bool dlq_walk(const struct config *config, struct client *client, const struct dlq_range *range,
	const struct dlq_visitor *visitor, struct client_error *error)
{
	struct walk walk = { .error = error,
		.client = client,
		.range = range,
		.visitor = visitor,
		.left = range->limit,
		.reader = client_reader_new(config, error->text) };
	bool ok;

	error->hint = NULL;
	if (!walk.reader)
		return false;
	ok = range->topic ? walk_named(&walk) : walk_all(&walk);
	free(walk.marks.offsets);
	client_reader_free(walk.reader);
	return ok;
}

char *dlq_header(const rd_kafka_message_t *message, const char *name)
{
	rd_kafka_headers_t *headers;
	const void *value;
	size_t size;

	if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
		rd_kafka_header_get_last(headers, name, &value, &size) || !value)
		return NULL;
	return alloc_bytes(value, size);
}

int64_t dlq_header_number(const rd_kafka_message_t *message, const char *name)
{
	char *text = dlq_header(message, name);
	int64_t number = -1;
	char *end;

	if (text && *text >= '0' && *text <= '9') {
		number = strtoll(text, &end, 10);
		if (*end)
			number = -1;
	}
	free(text);
	return number;
}

int64_t dlq_timestamp(const rd_kafka_message_t *message)
{
	int64_t original = dlq_header_number(message, DEAD_LETTER_TIMESTAMP);

	return original >= 0 ? original : rd_kafka_message_timestamp(message, NULL);
}

void dlq_print_text(const char *text, size_t size)
{
	for (size_t at = 0; at < size;) {
		size_t len = unicode_step(text + at, text + size);
		unsigned char first = (unsigned char)text[at];
		/* C1 control characters are C2 80 to C2 9F. */
		bool control = first < 0x20 || first == 0x7f ||
			(first == 0xc2 && len == 2 && (unsigned char)text[at + 1] < 0xa0);

		if (len == 0 || control)
			for (size_t i = 0; i < (len ? len : 1); i++)
				printf("\\x%02x", (unsigned char)text[at + i]);
		else
			fwrite(text + at, 1, len, stdout);
		at += len ? len : 1;
	}
}
