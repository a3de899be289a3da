/* check_sizes.c - compares the limits with each other and with the topics' max.message.bytes */
#include "worker/cli/check_sizes.h"

#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "worker/client/client.h"
#include "worker/config/limits.h"

#define ASK_TIMEOUT_MS 10000
/* More topics take longer than they are worth. */
#define TOPICS_MAX 500

static const struct topic_item *find_use(const struct topic_uses *topics, const char *name)
{
	for (size_t i = 0; i < topics->count; i++)
		if (strcmp(topics->items[i].name, name) == 0)
			return &topics->items[i];
	return NULL;
}

/* The topic's max.message.bytes; 0: unknown. */
static long long max_message_bytes(const rd_kafka_ConfigResource_t *topic)
{
	size_t count;
	const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(topic, &count);

	for (size_t i = 0; i < count; i++) {
		const char *value = rd_kafka_ConfigEntry_value(entries[i]);

		if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), "max.message.bytes") == 0)
			return value ? strtoll(value, NULL, 10) : 0;
	}
	return 0;
}

static void check_topic_size(struct check *check, const struct topic_item *topic, long long bytes)
{
	const struct config *config = check->config;
	bool replies = topic->use == USE_REPLIES;
	long long needed = replies ? config->replies.max_bytes : config_message_bytes(config);

	if (!bytes || bytes >= needed || topic->use == USE_COMMANDS)
		return;
	check_note(check, "sizes",
		replies ? "raise max.message.bytes of the topic, or lower replies.maxBytes"
			: "raise max.message.bytes of the topic, or lower limits.messageBytes",
		"topic %s takes messages of up to %lld bytes, but %s may have %lld", topic->name,
		bytes,
		replies ? "replies (replies.maxBytes)" : "dead letters (limits.messageBytes)",
		needed);
}

static void read_sizes(struct check *check, const struct topic_uses *topics,
	rd_kafka_event_t *event)
{
	size_t count;
	const rd_kafka_ConfigResource_t **list = rd_kafka_DescribeConfigs_result_resources(
		rd_kafka_event_DescribeConfigs_result(event), &count);

	for (size_t i = 0; i < count; i++) {
		const struct topic_item *topic = find_use(topics,
			rd_kafka_ConfigResource_name(list[i]));

		if (topic && !rd_kafka_ConfigResource_error(list[i]))
			check_topic_size(check, topic, max_message_bytes(list[i]));
	}
}

static void ask_sizes(struct check *check, struct client *client, const struct topic_uses *topics)
{
	rd_kafka_t *rk = client_handle(client);
	rd_kafka_ConfigResource_t *list[TOPICS_MAX];
	rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
	rd_kafka_event_t *event;
	size_t count = 0;

	for (; count < topics->count && count < TOPICS_MAX; count++)
		list[count] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC,
			topics->items[count].name);
	rd_kafka_DescribeConfigs(rk, list, count, NULL, queue);
	rd_kafka_ConfigResource_destroy_array(list, count);
	event = rd_kafka_queue_poll(queue, ASK_TIMEOUT_MS);
	if (event && !rd_kafka_event_error(event))
		read_sizes(check, topics, event);
	if (event)
		rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(queue);
}

void check_sizes(struct check *check, struct client *client, const struct topic_uses *topics)
{
	const struct config *config = check->config;
	long long message = config_message_bytes(config);

	if (message > config->replies.max_bytes)
		check_note(check, "sizes",
			"raise replies.maxBytes, or set limits.messageBytes to 0",
			"commands may have %lld bytes (limits.messageBytes), but replies only %lld "
			"(replies.maxBytes): what a command stores may be too large to be read",
			message, (long long)config->replies.max_bytes);
	if (topics->count > 0)
		ask_sizes(check, client, topics);
}
