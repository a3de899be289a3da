/* topic_ids.c - asks brokers for the ids of topics */
#include "worker/kafka/topic_ids.h"

#include <stdio.h>
#include <string.h>

/* How long the search for a broker that answers may take; a broker that is up takes some ms. */
#define FIND_BROKER_MS 1000
/* librdkafka ends a question itself after its time, with an event that says so. */
#define EVENT_GRACE_MS 1000

/* The id of a broker that answered just now; -1: none did. */
static int32_t find_broker(rd_kafka_t *rk, int timeout_ms)
{
	const struct rd_kafka_metadata *metadata;
	int32_t broker = -1;
	if (rd_kafka_metadata(rk, 0, NULL, &metadata,
		    timeout_ms < FIND_BROKER_MS ? timeout_ms : FIND_BROKER_MS))
		return -1;
	broker = metadata->orig_broker_id;
	rd_kafka_metadata_destroy(metadata);
	return broker;
}

/* By default librdkafka asks the controller, which with KRaft is any broker of its last metadata. If that broker
 * died meanwhile, librdkafka connects to it without a pause until the question ends: a whole processor. */
static void choose_broker(rd_kafka_t *rk, rd_kafka_AdminOptions_t *options, int timeout_ms)
{
	char reason[256];
	int32_t broker = find_broker(rk, timeout_ms);
	if (broker >= 0)
		rd_kafka_AdminOptions_set_broker(options, broker, reason, sizeof(reason));
}

static void topic_ids_ask_with(rd_kafka_t *rk, const char *const *names, size_t count,
	int timeout_ms, bool rights, rd_kafka_queue_t *queue)
{
	rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(rk,
		RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
	char reason[256];
	rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, reason, sizeof(reason));
	rd_kafka_error_destroy(rd_kafka_AdminOptions_set_include_authorized_operations(options,
		rights));
	choose_broker(rk, options, timeout_ms);
	/* librdkafka only reads the names, but does not say so. */
	rd_kafka_TopicCollection_t *topics =
		rd_kafka_TopicCollection_of_topic_names((const char **)(void *)names, count);
	rd_kafka_DescribeTopics(rk, topics, options, queue);
	rd_kafka_TopicCollection_destroy(topics);
	rd_kafka_AdminOptions_destroy(options);
}

void topic_ids_ask(rd_kafka_t *rk, const char *const *names, size_t count, int timeout_ms,
	rd_kafka_queue_t *queue)
{
	topic_ids_ask_with(rk, names, count, timeout_ms, false, queue);
}

void topic_ids_ask_rights(rd_kafka_t *rk, const char *const *names, size_t count, int timeout_ms,
	rd_kafka_queue_t *queue)
{
	topic_ids_ask_with(rk, names, count, timeout_ms, true, queue);
}

bool topic_ids_forbid_read(const struct topic_id *topic)
{
	size_t count = 0;
	const rd_kafka_AclOperation_t *list = topic->error
		? NULL
		: rd_kafka_TopicDescription_authorized_operations(topic->description, &count);
	for (size_t i = 0; list && i < count; i++)
		if (list[i] == RD_KAFKA_ACL_OPERATION_READ)
			return false;
	return list && count > 0;
}

static struct topic_id read_topic(const rd_kafka_TopicDescription_t *description)
{
	const rd_kafka_error_t *error = rd_kafka_TopicDescription_error(description);
	struct topic_id topic = {
		.topic = rd_kafka_TopicDescription_name(description),
		.error = error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR,
		.description = description,
	};
	const rd_kafka_Uuid_t *uuid = topic.error ? NULL
						  : rd_kafka_TopicDescription_topic_id(description);
	const char *text = uuid ? rd_kafka_Uuid_base64str(uuid) : NULL;
	snprintf(topic.id, sizeof(topic.id), "%s", text ? text : "");
	return topic;
}

bool topic_ids_read(rd_kafka_event_t *event, topic_ids_fn *each, void *arg)
{
	if (rd_kafka_event_error(event))
		return false;
	const rd_kafka_DescribeTopics_result_t *result =
		rd_kafka_event_DescribeTopics_result(event);
	if (!result)
		return false;
	size_t count;
	const rd_kafka_TopicDescription_t **list = rd_kafka_DescribeTopics_result_topics(result,
		&count);
	for (size_t i = 0; i < count; i++) {
		struct topic_id topic = read_topic(list[i]);
		each(arg, &topic);
	}
	return true;
}

bool topic_ids_get(rd_kafka_t *rk, const char *const *names, size_t count, int timeout_ms,
	topic_ids_fn *each, void *arg)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
	topic_ids_ask(rk, names, count, timeout_ms, queue);
	rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms + EVENT_GRACE_MS);
	bool answered = event && topic_ids_read(event, each, arg);
	if (event)
		rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(queue);
	return answered;
}

bool topic_ids_equal(const char *one, const char *other)
{
	return !one[0] || !other[0] || strcmp(one, other) == 0;
}
