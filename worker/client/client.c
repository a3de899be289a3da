/*
 * client.c - the Kafka client of the command line
 */
#include "worker/client/client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"
#include "worker/config/exit_status.h"
#include "worker/kafka/client_conf.h"

#define CONNECT_TIMEOUT_MS 10000
/* Retry refused connections for this time: a broker may be starting. */
#define REFUSED_TIMEOUT_MS 3000
#define QUERY_TIMEOUT_MS 10000
#define QUEUE_WAIT_MS 100
/* Readers of committed messages wait this long for a transaction whose producer has died. */
#define TRANSACTION_TIMEOUT_MS 15000

struct client {
	rd_kafka_t *rk;
	struct topics *topics;
	struct client_options options;
	char complaint[CLIENT_ERROR_MAX];
	bool all_down; /* no broker accepts connections */
	bool hopeless; /* a retry can't succeed */
};

static void client_on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
	struct client *client = opaque;

	(void)rk;
	switch (code) {
	case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
		client->all_down = true;
		return; /* the previous error has more details */
	case RD_KAFKA_RESP_ERR__AUTHENTICATION:
	case RD_KAFKA_RESP_ERR__SSL:
	case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
		client->hopeless = true;
		break;
	default:
		break;
	}
	snprintf(client->complaint, sizeof(client->complaint), "%s", reason);
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	struct client *client = opaque;

	(void)rk;
	if (client->options.delivered)
		client->options.delivered(client->options.arg, message,
			message->err ? rd_kafka_err2str(message->err) : NULL);
}

/* client_on_error gets all errors, so librdkafka's log lines would only repeat them. */
static rd_kafka_conf_t *quiet_conf(const struct config *config, char error[CLIENT_ERROR_MAX])
{
	static const struct kafka_default none[] = { { NULL, NULL } };
	rd_kafka_conf_t *conf = kafka_conf(config, none, error, CLIENT_ERROR_MAX);

	if (conf)
		rd_kafka_conf_set_log_cb(conf, NULL);
	return conf;
}

void client_error_set(struct client_error *error, const char *hint, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	error->hint = hint;
}

static rd_kafka_t *producer_new(struct client *client, const struct config *config,
	char error[CLIENT_ERROR_MAX])
{
	rd_kafka_conf_t *conf = quiet_conf(config, error);

	if (!conf)
		return NULL;
	kafka_set(conf, "enable.idempotence", "true");
	kafka_set(conf, "acks", "all");
	kafka_set(conf, "partitioner", "murmur2_random");
	kafka_set_number(conf, "linger.ms", client->options.linger_ms);
	/* No limit of our own: the broker and the topic check the size. */
	kafka_set_number(conf, "message.max.bytes", 1000000000);
	kafka_set(conf, "queue.buffering.max.kbytes", "262144");
	if (client->options.delivery_timeout_ms)
		kafka_set_number(conf, "message.timeout.ms", client->options.delivery_timeout_ms);
	if (client->options.transactional_id) {
		kafka_set(conf, "transactional.id", client->options.transactional_id);
		kafka_set_number(conf, "transaction.timeout.ms", TRANSACTION_TIMEOUT_MS);
	}
	rd_kafka_conf_set_opaque(conf, client);
	rd_kafka_conf_set_error_cb(conf, client_on_error);
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
	return kafka_new(RD_KAFKA_PRODUCER, conf, error, CLIENT_ERROR_MAX);
}

static bool connect_to_broker(struct client *client, const struct config *config,
	char error[CLIENT_ERROR_MAX])
{
	int64_t start = clock_tick_ms();

	for (;;) {
		const struct rd_kafka_metadata *metadata;
		int64_t waited;

		if (rd_kafka_metadata(client->rk, 0, NULL, &metadata, 500) ==
			RD_KAFKA_RESP_ERR_NO_ERROR) {
			rd_kafka_metadata_destroy(metadata);
			return true;
		}
		rd_kafka_poll(client->rk, 0);
		waited = clock_tick_ms() - start;
		if (waited > CONNECT_TIMEOUT_MS || client->hopeless ||
			(client->all_down && waited > REFUSED_TIMEOUT_MS))
			break;
	}
	snprintf(error, CLIENT_ERROR_MAX, "no broker at %.200s answers%s%.250s",
		config->kafka.bootstrap_servers, client->complaint[0] ? ": " : "",
		client->complaint);
	return false;
}

struct client *client_new(const struct config *config, const struct client_options *options,
	int *status, struct client_error *error)
{
	struct client *client = alloc_zero(1, sizeof(*client));

	client->options = *options;
	client->rk = producer_new(client, config, error->text);
	if (client->rk && connect_to_broker(client, config, error->text)) {
		client->topics = topics_new(client->rk);
		return client;
	}
	error->hint = "`stowage check` shows details";
	*status = client->rk ? EXIT_KAFKA : EXIT_CONFIG;
	client_free(client);
	return NULL;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	topics_free(client->topics);
	if (client->rk) {
		rd_kafka_purge(client->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
		client->options.delivered = NULL;
		rd_kafka_flush(client->rk, 0);
		rd_kafka_destroy(client->rk);
	}
	free(client);
}

rd_kafka_t *client_handle(const struct client *client)
{
	return client->rk;
}

struct topics *client_topics(const struct client *client)
{
	return client->topics;
}

const char *client_complaint(const struct client *client)
{
	return client->complaint;
}

/* Tries once. librdkafka takes ownership of the headers only on success. */
static rd_kafka_resp_err_t produce_once(rd_kafka_t *rk, const struct client_message *message)
{
	rd_kafka_vu_t fields[] = {
		{ .vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = message->topic },
		{ .vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = message->partition },
		{ .vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY },
		{ .vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = message->timestamp_ms },
		{ .vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = message->opaque },
		{ .vtype = RD_KAFKA_VTYPE_VALUE,
			.u.mem = { .ptr = (void *)message->value, .size = message->value_size } },
		{ .vtype = RD_KAFKA_VTYPE_KEY,
			.u.mem = { .ptr = (void *)message->key, .size = message->key_size } },
		{ .vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = message->headers },
	};
	size_t count = sizeof(fields) / sizeof(fields[0]) - (message->headers ? 0 : 1);
	rd_kafka_error_t *failure = rd_kafka_produceva(rk, fields, count);
	rd_kafka_resp_err_t code = failure ? rd_kafka_error_code(failure) : 0;

	rd_kafka_error_destroy(failure);
	return code;
}

bool client_produce(struct client *client, const struct client_message *message,
	char error[CLIENT_ERROR_MAX])
{
	rd_kafka_resp_err_t code;

	while ((code = produce_once(client->rk, message)) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
		rd_kafka_poll(client->rk, QUEUE_WAIT_MS);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		return true;
	if (message->headers)
		rd_kafka_headers_destroy(message->headers);
	snprintf(error, CLIENT_ERROR_MAX, "cannot send to %s: %s", message->topic,
		rd_kafka_err2str(code));
	return false;
}

void client_poll(struct client *client, int timeout_ms)
{
	rd_kafka_poll(client->rk, timeout_ms);
}

int client_flush(struct client *client, int timeout_ms)
{
	rd_kafka_flush(client->rk, timeout_ms);
	return rd_kafka_outq_len(client->rk);
}

rd_kafka_t *client_reader_new(const struct config *config, char error[CLIENT_ERROR_MAX])
{
	rd_kafka_conf_t *conf = quiet_conf(config, error);
	rd_kafka_t *reader;

	if (!conf)
		return NULL;
	/* librdkafka requires a group.id; the reader neither joins the group nor commits offsets.
	 * */
	kafka_set(conf, "group.id", "stowage-command-line");
	kafka_set(conf, "enable.auto.commit", "false");
	kafka_set(conf, "enable.auto.offset.store", "false");
	kafka_set(conf, "allow.auto.create.topics", "false");
	kafka_set(conf, "enable.partition.eof", "true");
	kafka_set(conf, "auto.offset.reset", "earliest");
	reader = kafka_new(RD_KAFKA_CONSUMER, conf, error, CLIENT_ERROR_MAX);
	if (reader)
		rd_kafka_poll_set_consumer(reader);
	return reader;
}

void client_reader_free(rd_kafka_t *reader)
{
	if (!reader)
		return;
	rd_kafka_consumer_close(reader);
	rd_kafka_destroy(reader);
}

/* The topic is new, or its broker has just left: a retry may find the new leader. */
static bool leader_moves(rd_kafka_resp_err_t code)
{
	return code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
		code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
}

bool client_watermarks(rd_kafka_t *rk, const char *topic, int32_t partition, int64_t *low,
	int64_t *high, char error[CLIENT_ERROR_MAX])
{
	int64_t until = clock_tick_ms() + QUERY_TIMEOUT_MS;
	rd_kafka_resp_err_t code;

	for (;;) {
		code = rd_kafka_query_watermark_offsets(rk, topic, partition, low, high,
			QUERY_TIMEOUT_MS);
		if (!leader_moves(code) || clock_tick_ms() >= until)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = QUEUE_WAIT_MS * 1000000 }, NULL);
	}
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		return true;
	snprintf(error, CLIENT_ERROR_MAX, "cannot query the offsets of %s [%d]: %s", topic,
		partition, rd_kafka_err2str(code));
	return false;
}

bool client_reader_from(rd_kafka_t *reader, const char *topic, int32_t partition, int64_t offset,
	char error[CLIENT_ERROR_MAX])
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_resp_err_t code;

	rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
	code = rd_kafka_assign(reader, list);
	rd_kafka_topic_partition_list_destroy(list);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		snprintf(error, CLIENT_ERROR_MAX, "cannot read %s [%d]: %s", topic, partition,
			rd_kafka_err2str(code));
	return code == RD_KAFKA_RESP_ERR_NO_ERROR;
}

bool client_reader_from_end(rd_kafka_t *reader, const char *topic, int32_t partitions,
	char error[CLIENT_ERROR_MAX])
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
	bool ok = true;

	/* Assign numbers, because librdkafka would look "end" up some time later. */
	for (int32_t i = 0; ok && i < partitions; i++) {
		int64_t low, high;

		ok = client_watermarks(reader, topic, i, &low, &high, error);
		if (ok)
			rd_kafka_topic_partition_list_add(list, topic, i)->offset = high;
	}
	if (ok)
		code = rd_kafka_assign(reader, list);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
		snprintf(error, CLIENT_ERROR_MAX, "cannot read %s: %s", topic,
			rd_kafka_err2str(code));
		ok = false;
	}
	rd_kafka_topic_partition_list_destroy(list);
	return ok;
}
