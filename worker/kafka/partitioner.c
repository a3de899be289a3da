/* partitioner.c - librdkafka's partitioners by name, and the number of partitions that they see */
#include "worker/kafka/partitioner.h"

#include <stdatomic.h>
#include <string.h>

#include "worker/kafka/rounds.h"

static const struct {
	const char *name;
	partitioner_fn *choose;
	bool random;
} partitioners[] = {
	{ "murmur2_random", rd_kafka_msg_partitioner_murmur2_random, false },
	{ "murmur2", rd_kafka_msg_partitioner_murmur2, false },
	{ "consistent_random", rd_kafka_msg_partitioner_consistent_random, false },
	{ "consistent", rd_kafka_msg_partitioner_consistent, false },
	{ "fnv1a_random", rd_kafka_msg_partitioner_fnv1a_random, false },
	{ "fnv1a", rd_kafka_msg_partitioner_fnv1a, false },
	{ "random", rd_kafka_msg_partitioner_random, true },
};

static int32_t partitioner_choose(const rd_kafka_topic_t *topic, const void *key, size_t size,
	int32_t partitions, void *topic_opaque, void *message_opaque)
{
	const struct partitioner *partitioner = topic_opaque;
	const struct sent *sent = message_opaque;
	atomic_store_explicit(&sent->round->to->partitions, partitions, memory_order_relaxed);
	return partitioner->choose(topic, key, size, partitions, NULL, NULL);
}

void partitioner_set(struct partitioner *partitioner, rd_kafka_conf_t *conf)
{
	char name[64] = "";
	size_t size = sizeof(name), i = 0;
	rd_kafka_conf_get(conf, "partitioner", name, &size);
	while (i + 1 < sizeof(partitioners) / sizeof(partitioners[0]) &&
		strcmp(partitioners[i].name, name) != 0)
		i++;
	partitioner->choose = partitioners[i].choose;
	partitioner->by_key = partitioners[i].random ? NULL : partitioners[i].choose;
	/* Made when the default `partitioner` was set. */
	rd_kafka_topic_conf_t *topic = rd_kafka_conf_get_default_topic_conf(conf);
	rd_kafka_topic_conf_set_opaque(topic, partitioner);
	rd_kafka_topic_conf_set_partitioner_cb(topic, partitioner_choose);
}
