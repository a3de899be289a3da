/* topics.c - looks topics up and caches the answers */
#include "worker/kafka/topics.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"
#include "worker/kafka/topic_ids.h"

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

/* What the brokers say about one topic. */
struct topics_reply {
	enum topic_answer answer;
	int32_t partitions;
	char id[TOPIC_ID_SIZE];
};

static void topics_read(void *arg, const struct topic_id *topic)
{
	struct topics_reply *reply = arg;
	size_t count;
	switch (topic->error) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		break;
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
		reply->answer = TOPIC_MISSING;
		return;
	default:
		return;
	}
	rd_kafka_TopicDescription_partitions(topic->description, &count);
	reply->answer = TOPIC_THERE;
	reply->partitions = (int32_t)count;
	memcpy(reply->id, topic->id, sizeof(reply->id));
}

static struct topics_reply topics_ask(struct topics *topics, const char *name)
{
	struct topics_reply reply = { .answer = TOPIC_UNREACHABLE };
	(void)topic_ids_get(topics->rk, &name, 1, ASK_TIMEOUT_MS, topics_read, &reply);
	return reply;
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
	char *terminated = alloc_bytes(name, size);
	struct topics_reply reply = topics_ask(topics, terminated);
	free(terminated);
	*partitions = reply.partitions;
	if (reply.answer != TOPIC_UNREACHABLE)
		topics_keep(topics, name, size, *partitions);
	return reply.answer;
}

enum topic_answer topics_id(struct topics *topics, const char *name, char id[TOPIC_ID_SIZE])
{
	struct topics_reply reply = topics_ask(topics, name);
	memcpy(id, reply.id, TOPIC_ID_SIZE);
	return reply.answer;
}
