/*
 * topic_create.c - names the topics that Stowage needs, and creates them
 */
#include "worker/kafka/topic_create.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"
#include "worker/kafka/topics.h"

#define CREATE_TIMEOUT_MS 30000
/* A dead letter must hold a command that was too large to apply. */
#define DEAD_LETTER_BYTES "536870912"

void topic_create_names_add(struct config_list *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i], name) == 0)
			return;
	names->items = alloc_grow(names->items, names->count + 1, sizeof(*names->items));
	names->items[names->count++] = alloc_copy(name);
}

static void add_joined(struct config_list *names, const char *first, const char *second)
{
	char *name = alloc_printf("%s%s", first, second);

	topic_create_names_add(names, name);
	free(name);
}

struct config_list topic_create_names(const struct config *config, const char *const *domains,
	size_t domain_count)
{
	struct config_list names = { 0 };

	for (size_t i = 0; i < domain_count; i++)
		add_joined(&names, TOPIC_COMMANDS, domains[i]);
	for (size_t i = 0; i < config->kafka.topics.count; i++)
		if (config->kafka.topics.items[i][0] != '^')
			topic_create_names_add(&names, config->kafka.topics.items[i]);
	for (size_t i = 0, count = names.count; i < count; i++)
		add_joined(&names, names.items[i], TOPIC_DEAD_LETTERS);
	topic_create_names_add(&names, TOPIC_REPLIES);
	return names;
}

void topic_create_names_free(struct config_list *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
	*names = (struct config_list){ 0 };
}

static enum topic_created topic_create_refuse(char *error, size_t error_size, const char *why)
{
	snprintf(error, error_size, "%s", why);
	return TOPIC_REFUSED;
}

static enum topic_created topic_create_read_event(rd_kafka_event_t *event, char *error,
	size_t error_size)
{
	const rd_kafka_CreateTopics_result_t *result = event
		? rd_kafka_event_CreateTopics_result(event)
		: NULL;
	const rd_kafka_topic_result_t **topics = NULL;
	size_t count = 0;

	if (event && rd_kafka_event_error(event))
		return topic_create_refuse(error, error_size, rd_kafka_event_error_string(event));
	if (result)
		topics = rd_kafka_CreateTopics_result_topics(result, &count);
	if (count != 1)
		return topic_create_refuse(error, error_size, "no answer");
	switch (rd_kafka_topic_result_error(topics[0])) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		return TOPIC_CREATED;
	case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
		return TOPIC_WAS_THERE;
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
		(void)topic_create_refuse(error, error_size,
			rd_kafka_topic_result_error_string(topics[0]));
		return TOPIC_FORBIDDEN;
	default:
		return topic_create_refuse(error, error_size,
			rd_kafka_topic_result_error_string(topics[0]));
	}
}

/* `pretend`: the broker checks everything, and creates nothing. */
static enum topic_created create_one(rd_kafka_t *rk, rd_kafka_NewTopic_t *topic, bool pretend,
	char *error, size_t error_size)
{
	rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(rk,
		RD_KAFKA_ADMIN_OP_CREATETOPICS);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
	rd_kafka_event_t *event;
	enum topic_created created;

	/* The broker answers when the topic exists, not when it has the request. */
	rd_kafka_AdminOptions_set_operation_timeout(options, CREATE_TIMEOUT_MS / 2, error,
		error_size);
	rd_kafka_AdminOptions_set_validate_only(options, pretend, error, error_size);
	rd_kafka_CreateTopics(rk, &topic, 1, options, queue);
	event = rd_kafka_queue_poll(queue, CREATE_TIMEOUT_MS);
	created = topic_create_read_event(event, error, error_size);
	if (event)
		rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(queue);
	rd_kafka_AdminOptions_destroy(options);
	return created;
}

static bool is_dead_letters(const char *name)
{
	size_t size = strlen(name), suffix = strlen(TOPIC_DEAD_LETTERS);
	return size > suffix && strcmp(name + size - suffix, TOPIC_DEAD_LETTERS) == 0;
}

/* The KRaft controller answers first; the broker that clients ask may hear of the topic later. */
static void await_topic(rd_kafka_t *rk, const char *name)
{
	struct topics *topics = topics_new(rk);
	int64_t deadline = clock_tick_ms() + CREATE_TIMEOUT_MS;
	char id[TOPIC_ID_SIZE];

	while (topics_id(topics, name, id) == TOPIC_MISSING && clock_tick_ms() < deadline)
		nanosleep(&(struct timespec){ .tv_nsec = 20 * 1000000 }, NULL);
	topics_free(topics);
}

enum topic_created topic_create(rd_kafka_t *rk, const char *name, int partitions, int replication,
	char *error, size_t error_size)
{
	rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, partitions, replication, error,
		error_size);
	enum topic_created created;

	if (!topic)
		return TOPIC_REFUSED;
	if (is_dead_letters(name))
		rd_kafka_NewTopic_set_config(topic, "max.message.bytes", DEAD_LETTER_BYTES);
	created = create_one(rk, topic, false, error, error_size);
	rd_kafka_NewTopic_destroy(topic);
	if (created == TOPIC_CREATED)
		await_topic(rk, name);
	return created;
}

bool topic_create_is_forbidden(rd_kafka_t *rk, const char *name, int partitions, int replication)
{
	char error[256];
	rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, partitions, replication, error,
		sizeof(error));
	bool forbidden = topic &&
		create_one(rk, topic, true, error, sizeof(error)) == TOPIC_FORBIDDEN;

	if (topic)
		rd_kafka_NewTopic_destroy(topic);
	return forbidden;
}
