/* consumer_conf.c - the consumer's librdkafka configuration: fetch sizes and group settings */
#include "worker/kafka/consumer_conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "schemas/base/alloc.h"
#include "worker/kafka/client_conf.h"
#include "worker/kafka/topic_match.h"

#define METADATA_TIMEOUT_MS 5000
/* One fetch of each partition may take this part of the memory ceiling, and librdkafka's queues
 * twice as much: librdkafka asks for a partition while its queue holds less than one fetch. With
 * smaller queues, librdkafka would leave a partition out of the requests after its fetch, although
 * its lane has room, and those requests would wait at the ends of other partitions. A fetch is as
 * large as that allows, because each one costs the broker more than its bytes. librdkafka keeps a
 * response until the worker is done with its last message. */
#define FETCH_SHARE 5
#define FETCH_MIN_BYTES (64 * 1024)
#define FETCH_MAX_BYTES (1536 * 1024)
#define FETCH_RESPONSE_BYTES (1536 * 1024)

int consumer_count_partitions(const struct config *config, rd_kafka_t *client, struct log *log)
{
	const struct rd_kafka_metadata *metadata;
	int count = 0;
	if (rd_kafka_metadata(client, 1, NULL, &metadata, METADATA_TIMEOUT_MS))
		return CONSUMER_CONF_PARTITIONS_GUESS;
	for (int i = 0; i < metadata->topic_cnt; i++)
		if (topic_match_command(config, metadata->topics[i].topic))
			count += metadata->topics[i].partition_cnt;
	rd_kafka_metadata_destroy(metadata);
	if (count == 0)
		log_warn(log, "no topic matches kafka.topics: waiting for one",
			LOG_STR("help", "`stowage topics create` creates the topics"));
	return count > 0 ? count : CONSUMER_CONF_PARTITIONS_GUESS;
}

static long long fetch_bytes(const struct config *config, int partitions)
{
	long long bytes = config->limits.memory_bytes / FETCH_SHARE / partitions;
	if (bytes < FETCH_MIN_BYTES)
		return FETCH_MIN_BYTES;
	return bytes > FETCH_MAX_BYTES ? FETCH_MAX_BYTES : bytes;
}

bool consumer_conf_is_new_protocol(const struct config *config)
{
	static const char name[] = "group.protocol=";
	bool is_new = false;
	for (size_t i = 0; i < config->kafka.properties.count; i++) {
		const char *property = config->kafka.properties.items[i];
		if (strncmp(property, name, strlen(name)) == 0)
			is_new = strcasecmp(property + strlen(name), "consumer") == 0;
	}
	return is_new;
}

/* Whatever kafka.topics says, librdkafka does not see the dead-letter topics. The operator's own list
 * stays. */
static void hide_dead_letters(rd_kafka_conf_t *conf)
{
	char list[4096];
	size_t size = sizeof(list);
	bool some = rd_kafka_conf_get(conf, "topic.blacklist", list, &size) == RD_KAFKA_CONF_OK &&
		list[0];
	char *hidden = alloc_printf("%s%s\\.dlq$", some ? list : "", some ? "," : "");
	kafka_set(conf, "topic.blacklist", hidden);
	free(hidden);
}

static void set_required(rd_kafka_conf_t *conf, const struct config *config)
{
	hide_dead_letters(conf);
	kafka_set(conf, "group.id", config->kafka.group_id);
	if (!consumer_conf_is_new_protocol(config))
		kafka_set(conf, "partition.assignment.strategy", "cooperative-sticky");
	kafka_set(conf, "enable.auto.offset.store", "false");
	kafka_set(conf, "enable.auto.commit", "true");
	/* Every lane starts at the offset in its row: a log that has lost that offset is an error. */
	kafka_set(conf, "auto.offset.reset", "error");
	kafka_set(conf, "isolation.level", "read_committed");
	kafka_set(conf, "allow.auto.create.topics", "false");
	kafka_set(conf, "enable.partition.eof", "true");
}

rd_kafka_conf_t *consumer_conf(const struct config *config, int partitions, char *error,
	size_t error_size)
{
	char fetch[24], queue[24], response[24];
	bool classic = !consumer_conf_is_new_protocol(config);
	const struct kafka_default defaults[] = {
		{ "topic.metadata.refresh.interval.ms", "10000" },
		{ "queued.min.messages", "1000" },
		/* One request at a time goes to each broker. While it waits at the end of some
		 * partitions, those with empty queues receive nothing. */
		{ "fetch.wait.max.ms", "20" },
		/* A full queue is how a lane holds its partition back: check again after 10 ms, not
		 * after a second. */
		{ "fetch.queue.backoff.ms", "10" },
		{ "fetch.message.max.bytes", fetch },
		{ "queued.max.messages.kbytes", queue },
		{ "fetch.max.bytes", response },
		/* A killed worker keeps its partitions no longer than this. With the new protocol the
		 * brokers set both, and librdkafka refuses them: the list ends here. */
		{ classic ? "session.timeout.ms" : NULL, "10000" },
		{ classic ? "heartbeat.interval.ms" : NULL, "2000" },
		{ NULL, NULL },
	};
	long long bytes = fetch_bytes(config, partitions);
	snprintf(fetch, sizeof(fetch), "%lld", bytes);
	snprintf(queue, sizeof(queue), "%lld", bytes / 1024);
	snprintf(response, sizeof(response), "%d", FETCH_RESPONSE_BYTES);
	rd_kafka_conf_t *conf = kafka_conf(config, defaults, error, error_size);
	if (conf)
		set_required(conf, config);
	return conf;
}
