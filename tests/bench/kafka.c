/* kafka.c - librdkafka clients for the benchmark programs */
#include "kafka.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#define TIMEOUT_MS 30000

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char error[256];

	if (rd_kafka_conf_set(conf, name, value, error, sizeof error) != RD_KAFKA_CONF_OK)
		die("%s", error);
}

static void check(rd_kafka_resp_err_t error, const char *what)
{
	if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
		die("%s: %s", what, rd_kafka_err2str(error));
}

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
	(void)client;
	(void)opaque;
	check(message->err, "delivery");
}

static rd_kafka_t *client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
	char error[256];

	set(conf, "bootstrap.servers", environment("STOWAGE_KAFKA_BOOTSTRAP_SERVERS"));
	set(conf, "socket.nagle.disable", "true");
	rd_kafka_t *client = rd_kafka_new(type, conf, error, sizeof error);
	if (client == NULL)
		die("%s", error);
	return client;
}

rd_kafka_t *kafka_producer(int linger_ms)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char linger[16];

	snprintf(linger, sizeof linger, "%d", linger_ms);
	set(conf, "linger.ms", linger);
	set(conf, "queue.buffering.max.messages", "500000");
	set(conf, "batch.size", "1000000");
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
	return client_new(RD_KAFKA_PRODUCER, conf);
}

static int ask_partitions(rd_kafka_t *client, const char *topic)
{
	rd_kafka_topic_t *handle = rd_kafka_topic_new(client, topic, NULL);
	const struct rd_kafka_metadata *metadata;

	check(rd_kafka_metadata(client, 0, handle, &metadata, TIMEOUT_MS), topic);
	rd_kafka_resp_err_t error = metadata->topics[0].err;
	int count = metadata->topics[0].partition_cnt;
	rd_kafka_metadata_destroy(metadata);
	rd_kafka_topic_destroy(handle);
	if (error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
		error == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
		return 0;
	check(error, topic);
	return count;
}

int kafka_partitions(rd_kafka_t *client, const char *topic)
{
	for (int tries = 0; tries < 500; tries++) {
		int count = ask_partitions(client, topic);
		if (count > 0)
			return count;
		rd_kafka_poll(client, 10);
	}
	die("there is no topic %s", topic);
}

rd_kafka_t *kafka_consumer(const char *topic)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	set(conf, "group.id", "bench-no-group");
	set(conf, "enable.auto.commit", "false");
	rd_kafka_t *client = client_new(RD_KAFKA_CONSUMER, conf);
	check(rd_kafka_poll_set_consumer(client), "queue");

	int count = kafka_partitions(client, topic);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
	for (int i = 0; i < count; i++) {
		int64_t low, high;
		check(rd_kafka_query_watermark_offsets(client, topic, i, &low, &high, TIMEOUT_MS),
			topic);
		rd_kafka_topic_partition_list_add(list, topic, i)->offset = high;
	}
	check(rd_kafka_assign(client, list), "assign");
	rd_kafka_topic_partition_list_destroy(list);
	return client;
}

const char *kafka_header(const rd_kafka_message_t *message, const char *name, size_t *size)
{
	rd_kafka_headers_t *headers;
	const void *value;

	if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
		rd_kafka_header_get_last(headers, name, &value, size) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return NULL;
	return value;
}
