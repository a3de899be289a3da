/*
 * dlq_original.c - reads the message that a dead letter without its value stands for
 */
#include "worker/client/dlq_original.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "worker/client/dlq.h"

#define POLL_TIMEOUT_MS 10000

bool dlq_original_needed(const rd_kafka_message_t *letter)
{
	return !letter->payload && dlq_header_number(letter, DEAD_LETTER_OMITTED) >= 0;
}

/* Of a key that is missing too, the dead letter has the size alone. */
static bool has_same_key(const rd_kafka_message_t *message, const rd_kafka_message_t *letter)
{
	int64_t omitted = letter->key ? -1 : dlq_header_number(letter, DEAD_LETTER_KEY_OMITTED);

	if (omitted >= 0)
		return message->key && (int64_t)message->key_len == omitted;
	return !message->key == !letter->key && message->key_len == letter->key_len &&
		(message->key_len == 0 || memcmp(message->key, letter->key, message->key_len) == 0);
}

/* After its topic was deleted and created again, another message can have the offset. A message without a
 * timestamp made a dead letter without that header. */
static bool is_original(const rd_kafka_message_t *message, const rd_kafka_message_t *letter)
{
	int64_t timestamp = dlq_header_number(letter, DEAD_LETTER_TIMESTAMP);

	return message->offset == dlq_header_number(letter, DLQ_CONTEXT "offset") &&
		(int64_t)message->len == dlq_header_number(letter, DEAD_LETTER_OMITTED) &&
		(timestamp < 0 || timestamp == rd_kafka_message_timestamp(message, NULL)) &&
		has_same_key(message, letter);
}

static enum dlq_original judge(const rd_kafka_message_t *message, const rd_kafka_message_t *letter)
{
	if (!message || (message->err && message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF))
		return DLQ_ORIGINAL_FAILED;
	return !message->err && is_original(message, letter) ? DLQ_ORIGINAL_FOUND
							     : DLQ_ORIGINAL_GONE;
}

/* librdkafka would wait for a partition that does not exist. */
static enum dlq_original original_find(const struct client *client, const char *topic,
	int64_t partition, struct client_error *error)
{
	int32_t partitions = 0;

	switch (topics_lookup(client_topics(client), topic, strlen(topic), &partitions)) {
	case TOPIC_THERE:
		return partition < partitions ? DLQ_ORIGINAL_FOUND : DLQ_ORIGINAL_GONE;
	case TOPIC_MISSING:
		return DLQ_ORIGINAL_GONE;
	case TOPIC_UNREACHABLE:
		break;
	}
	client_error_set(error, NULL, "cannot look up %s: the broker did not answer", topic);
	return DLQ_ORIGINAL_FAILED;
}

static enum dlq_original original_poll(rd_kafka_t *reader, const rd_kafka_message_t *letter,
	const char *topic, rd_kafka_message_t **original, struct client_error *error)
{
	rd_kafka_message_t *message = rd_kafka_consumer_poll(reader, POLL_TIMEOUT_MS);
	enum dlq_original result = judge(message, letter);

	if (result == DLQ_ORIGINAL_FAILED)
		client_error_set(error, NULL, "cannot read %s: %s", topic,
			message ? rd_kafka_message_errstr(message) : "the broker did not answer");
	rd_kafka_assign(reader, NULL); /* else it goes on to fetch what follows */
	if (result == DLQ_ORIGINAL_FOUND)
		*original = message;
	else if (message)
		rd_kafka_message_destroy(message);
	return result;
}

enum dlq_original dlq_original_read(const struct client *client, rd_kafka_t *reader,
	const rd_kafka_message_t *letter, rd_kafka_message_t **original, struct client_error *error)
{
	char *topic = dlq_header(letter, DLQ_CONTEXT "topic");
	int64_t partition = dlq_header_number(letter, DLQ_CONTEXT "partition");
	int64_t offset = dlq_header_number(letter, DLQ_CONTEXT "offset");
	enum dlq_original result = DLQ_ORIGINAL_GONE;

	error->hint = NULL;
	if (topic && partition >= 0 && offset >= 0)
		result = original_find(client, topic, partition, error);
	if (result == DLQ_ORIGINAL_FOUND)
		result = client_reader_from(reader, topic, (int32_t)partition, offset, error->text)
			? original_poll(reader, letter, topic, original, error)
			: DLQ_ORIGINAL_FAILED;
	free(topic);
	return result;
}
