/* subscription.c - subscribes to topics and patterns */
#include "worker/kafka/subscription.h"

#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"
#include "worker/kafka/consumer_conf.h"
#include "worker/kafka/topic_match.h"

#define ASK_MS 1000
#define LOOK_DEFAULT_MS 10000

struct subscription {
	const struct config *config;
	rd_kafka_t *consumer, *admin;
	struct log *log;
	bool lists;                              /* it lists the topics itself */
	int64_t look_ms;                         /* how often it looks for topics */
	int64_t look_at;                         /* clock_tick_ms */
	rd_kafka_topic_partition_list_t *topics; /* subscribed to now, sorted */
};

/* How often librdkafka refreshes its metadata. */
static int64_t refresh_ms(rd_kafka_t *rk)
{
	char text[32];
	size_t size = sizeof(text);
	if (rd_kafka_conf_get(rd_kafka_conf(rk), "topic.metadata.refresh.interval.ms", text, &size))
		return LOOK_DEFAULT_MS;
	int64_t ms = strtoll(text, NULL, 10);
	return ms > 0 ? ms : LOOK_DEFAULT_MS;
}

struct subscription *subscription_new(const struct config *config, rd_kafka_t *consumer,
	rd_kafka_t *admin, struct log *log)
{
	struct subscription *s = alloc_zero(1, sizeof(*s));
	*s = (struct subscription){
		.config = config,
		.consumer = consumer,
		.admin = admin,
		.log = log,
		.lists = consumer_conf_is_new_protocol(config),
		.look_ms = refresh_ms(consumer),
		.topics = rd_kafka_topic_partition_list_new(8),
	};
	return s;
}

void subscription_free(struct subscription *s)
{
	if (!s)
		return;
	rd_kafka_topic_partition_list_destroy(s->topics);
	free(s);
}

static void subscription_add(rd_kafka_topic_partition_list_t *list, const char *topic)
{
	if (!rd_kafka_topic_partition_list_find(list, topic, RD_KAFKA_PARTITION_UA))
		rd_kafka_topic_partition_list_add(list, topic, RD_KAFKA_PARTITION_UA);
}

/* The items of kafka.topics: as they are, or the names alone. */
static rd_kafka_topic_partition_list_t *subscription_items(const struct subscription *s,
	bool patterns)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
	const struct config_list *topics = &s->config->kafka.topics;
	for (size_t i = 0; i < topics->count; i++)
		if (patterns || topics->items[i][0] != '^')
			subscription_add(list, topics->items[i]);
	return list;
}

/* Adds the topics that match a pattern now. False: no broker answered. */
static bool subscription_find(const struct subscription *s, rd_kafka_topic_partition_list_t *list)
{
	const struct rd_kafka_metadata *metadata;
	if (rd_kafka_metadata(s->admin, 1, NULL, &metadata, ASK_MS))
		return false;
	for (int i = 0; i < metadata->topic_cnt; i++)
		if (topic_match_command(s->config, metadata->topics[i].topic))
			subscription_add(list, metadata->topics[i].topic);
	rd_kafka_metadata_destroy(metadata);
	rd_kafka_topic_partition_list_sort(list, NULL, NULL);
	return true;
}

static bool subscription_is(const struct subscription *s,
	const rd_kafka_topic_partition_list_t *list)
{
	bool same = s->topics->cnt == list->cnt;
	for (int i = 0; same && i < list->cnt; i++)
		same = strcmp(s->topics->elems[i].topic, list->elems[i].topic) == 0;
	return same;
}

/* Takes the list over. */
static bool subscription_set(struct subscription *s, rd_kafka_topic_partition_list_t *list)
{
	rd_kafka_resp_err_t error = list->cnt > 0 ? rd_kafka_subscribe(s->consumer, list)
						  : rd_kafka_unsubscribe(s->consumer);
	rd_kafka_topic_partition_list_destroy(s->topics);
	s->topics = list;
	if (error)
		log_error(s->log, "the subscription to kafka.topics failed",
			LOG_STR("error", rd_kafka_err2str(error)));
	return !error;
}

bool subscription_start(struct subscription *s)
{
	rd_kafka_topic_partition_list_t *list = subscription_items(s, !s->lists);
	if (!s->lists || list->cnt > 0)
		return subscription_set(s, list);
	rd_kafka_topic_partition_list_destroy(list);
	return true;
}

void subscription_serve(struct subscription *s)
{
	if (!s->lists || clock_tick_ms() < s->look_at)
		return;
	s->look_at = clock_tick_ms() + s->look_ms;
	rd_kafka_topic_partition_list_t *list = subscription_items(s, false);
	if (subscription_find(s, list) && !subscription_is(s, list))
		(void)subscription_set(s, list);
	else
		rd_kafka_topic_partition_list_destroy(list);
}
