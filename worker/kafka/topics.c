/* topics.c - looks topics up and caches the answers */
#include "worker/kafka/topics.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"

#define ASK_TIMEOUT_MS 10000
/* An existing topic is cached for a minute; a missing one may be created at any moment. */
#define KEEP_THERE_MS 60000
#define KEEP_MISSING_MS 2000
/* Names come from strangers, though only allowed ones get here, so the cache is bounded. */
#define KEEP_COUNT 1024

struct known {
	char *name;
	size_t size;
	int32_t partitions; /* 0: the topic does not exist */
	int64_t until;      /* clock_tick_ms */
};

struct topics {
	rd_kafka_t *rk;
	pthread_mutex_t mutex;
	struct known known[KEEP_COUNT];
	size_t count, oldest;
};

struct topics *topics_new(rd_kafka_t *rk)
{
	struct topics *topics = alloc_zero(1, sizeof(*topics));
	topics->rk = rk;
	pthread_mutex_init(&topics->mutex, NULL);
	return topics;
}

void topics_free(struct topics *topics)
{
	if (!topics)
		return;
	for (size_t i = 0; i < topics->count; i++)
		free(topics->known[i].name);
	pthread_mutex_destroy(&topics->mutex);
	free(topics);
}

static enum topic_answer read_description(const rd_kafka_TopicDescription_t *description,
	int32_t *partitions, char id[TOPIC_ID_SIZE])
{
	const rd_kafka_error_t *error = rd_kafka_TopicDescription_error(description);
	switch (error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		break;
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
		return TOPIC_MISSING;
	default:
		return TOPIC_UNREACHABLE;
	}
	size_t count;
	rd_kafka_TopicDescription_partitions(description, &count);
	*partitions = (int32_t)count;
	const rd_kafka_Uuid_t *uuid = rd_kafka_TopicDescription_topic_id(description);
	const char *text = uuid ? rd_kafka_Uuid_base64str(uuid) : NULL;
	snprintf(id, TOPIC_ID_SIZE, "%s", text ? text : "");
	return TOPIC_THERE;
}

static enum topic_answer topics_read_event(rd_kafka_event_t *event, int32_t *partitions,
	char id[TOPIC_ID_SIZE])
{
	if (!event || rd_kafka_event_error(event))
		return TOPIC_UNREACHABLE;
	const rd_kafka_DescribeTopics_result_t *result =
		rd_kafka_event_DescribeTopics_result(event);
	size_t count = 0;
	const rd_kafka_TopicDescription_t **list = result
		? rd_kafka_DescribeTopics_result_topics(result, &count)
		: NULL;
	return count == 1 ? read_description(list[0], partitions, id) : TOPIC_UNREACHABLE;
}

static enum topic_answer topics_ask(struct topics *topics, const char *name, int32_t *partitions,
	char id[TOPIC_ID_SIZE])
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(topics->rk);
	rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(topics->rk,
		RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
	char reason[256];
	rd_kafka_AdminOptions_set_request_timeout(options, ASK_TIMEOUT_MS, reason, sizeof(reason));
	rd_kafka_TopicCollection_t *names = rd_kafka_TopicCollection_of_topic_names(&name, 1);
	rd_kafka_DescribeTopics(topics->rk, names, options, queue);
	rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ASK_TIMEOUT_MS + 1000);
	enum topic_answer answer = topics_read_event(event, partitions, id);
	if (event)
		rd_kafka_event_destroy(event);
	rd_kafka_TopicCollection_destroy(names);
	rd_kafka_AdminOptions_destroy(options);
	rd_kafka_queue_destroy(queue);
	return answer;
}

static struct known *topics_find(struct topics *topics, const char *name, size_t size)
{
	for (size_t i = 0; i < topics->count; i++)
		if (topics->known[i].size == size && memcmp(topics->known[i].name, name, size) == 0)
			return &topics->known[i];
	return NULL;
}

static struct known *find_place(struct topics *topics, const char *name, size_t size)
{
	struct known *known = topics_find(topics, name, size);
	if (known)
		return known;
	if (topics->count < KEEP_COUNT) {
		known = &topics->known[topics->count++];
	} else {
		known = &topics->known[topics->oldest++ % KEEP_COUNT];
		free(known->name);
	}
	known->name = alloc_bytes(name, size);
	known->size = size;
	return known;
}

static void topics_keep(struct topics *topics, const char *name, size_t size, int32_t partitions)
{
	pthread_mutex_lock(&topics->mutex);
	struct known *known = find_place(topics, name, size);
	known->partitions = partitions;
	known->until = clock_tick_ms() + (partitions ? KEEP_THERE_MS : KEEP_MISSING_MS);
	pthread_mutex_unlock(&topics->mutex);
}

enum topic_answer topics_lookup(struct topics *topics, const char *name, size_t size,
	int32_t *partitions)
{
	pthread_mutex_lock(&topics->mutex);
	const struct known *known = topics_find(topics, name, size);
	bool fresh = known && known->until > clock_tick_ms();
	*partitions = fresh ? known->partitions : 0;
	pthread_mutex_unlock(&topics->mutex);
	if (fresh)
		return *partitions ? TOPIC_THERE : TOPIC_MISSING;
	char id[TOPIC_ID_SIZE];
	char *terminated = alloc_bytes(name, size);
	enum topic_answer answer = topics_ask(topics, terminated, partitions, id);
	free(terminated);
	if (answer != TOPIC_UNREACHABLE)
		topics_keep(topics, name, size, *partitions);
	return answer;
}

enum topic_answer topics_id(struct topics *topics, const char *name, char id[TOPIC_ID_SIZE])
{
	int32_t partitions;
	id[0] = '\0';
	return topics_ask(topics, name, &partitions, id);
}
