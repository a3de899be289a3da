/*
 * check_kafka.c - checks the brokers and the topics
 */
#include "worker/cli/check_kafka.h"

#include <stdlib.h>
#include <string.h>

#include "handlers/domains/command_table.h"
#include "schemas/base/alloc.h"
#include "worker/cli/check_rights.h"
#include "worker/cli/check_sizes.h"
#include "worker/client/client.h"
#include "worker/kafka/client_conf.h"
#include "worker/kafka/consumer_conf.h"
#include "worker/kafka/producer.h"
#include "worker/kafka/topic_create.h"
#include "worker/kafka/topic_match.h"

#define METADATA_TIMEOUT_MS 10000

struct topic_check {
	struct check *check;
	const struct rd_kafka_metadata *metadata; /* of all topics that this user may describe */
	struct topic_uses topics;
};

/* A command topic and its dead-letter topic. */
static void add_command_topic(struct topic_check *at, const char *topic, bool optional)
{
	char *dead_letters = alloc_printf("%s" TOPIC_DEAD_LETTERS, topic);

	topic_uses_add(&at->topics, topic, USE_COMMANDS, optional);
	topic_uses_add(&at->topics, dead_letters, USE_DEAD_LETTERS, optional);
	free(dead_letters);
}

static void check_pattern(struct topic_check *at, const char *pattern)
{
	int found = 0;

	for (int i = 0; i < at->metadata->topic_cnt; i++) {
		const char *name = at->metadata->topics[i].topic;

		if (topic_match_dead_letters(name) || !topic_match_pattern(pattern, name))
			continue;
		found++;
		add_command_topic(at, name, false);
	}
	if (found)
		check_ok(at->check, "command topics", "%d match %s", found, pattern);
	else
		check_failed(at->check, EXIT_KAFKA, "command topics",
			"`stowage topics create` creates the topics of all domains; "
			"without the right Describe this user cannot see them",
			"no topic matches %s", pattern);
}

static void check_topics(struct topic_check *at)
{
	const struct config_list *topics = &at->check->config->kafka.topics;

	for (size_t i = 0; i < topics->count; i++)
		if (topics->items[i][0] == '^')
			check_pattern(at, topics->items[i]);
		else
			add_command_topic(at, topics->items[i], false);
}

static void check_replies(struct topic_check *at)
{
	const char *allow = at->check->config->replies.allow;
	int found = 0;

	for (int i = 0; i < at->metadata->topic_cnt; i++) {
		const char *name = at->metadata->topics[i].topic;

		if (!topic_match_pattern(allow, name))
			continue;
		found++;
		topic_uses_add(&at->topics, name, USE_REPLIES, false);
		if (topic_match_dead_letters(name) ||
			topic_match_command(at->check->config, name) || strncmp(name, "__", 2) == 0)
			check_failed(at->check, EXIT_CONFIG, "reply topics",
				"make replies.allow stricter: any client could make the worker write replies there",
				"%s allows replies in %s", allow, name);
	}
	if (found)
		check_ok(at->check, "reply topics", "%d match %s", found, allow);
	else
		check_note(at->check, "reply topics",
			"`stowage topics create` creates mastra.replies; clients may have their own topics",
			"no topic matches %s", allow);
}

/* A pattern does not find a topic that this user may not describe. These names are known without it. */
static void add_usual_topics(struct topic_check *at)
{
	const struct config *config = at->check->config;
	struct config_list names = topic_create_names(config, command_domains,
		command_domain_count);

	for (size_t i = 0; i < names.count; i++)
		if (topic_match_command(config, names.items[i]))
			add_command_topic(at, names.items[i], true);
		else if (topic_match_pattern(config->replies.allow, names.items[i]))
			topic_uses_add(&at->topics, names.items[i], USE_REPLIES, true);
	topic_create_names_free(&names);
}

/* Creates a client as the worker does, without a connection. Takes the configuration over. */
static bool try_client(rd_kafka_type_t type, rd_kafka_conf_t *conf, char error[CLIENT_ERROR_MAX])
{
	rd_kafka_t *rk;

	if (!conf)
		return false;
	rd_kafka_conf_set_log_cb(conf, NULL);
	rk = kafka_new(type, conf, error, CLIENT_ERROR_MAX);
	if (rk)
		rd_kafka_destroy(rk);
	return rk != NULL;
}

/* librdkafka checks the properties together, so the worker's own clients find what it rejects. */
static bool try_clients(const struct config *config, char error[CLIENT_ERROR_MAX])
{
	return try_client(RD_KAFKA_CONSUMER,
		       consumer_conf(config, CONSUMER_CONF_PARTITIONS_GUESS, error,
			       CLIENT_ERROR_MAX),
		       error) &&
		try_client(RD_KAFKA_PRODUCER, producer_conf(config, error, CLIENT_ERROR_MAX),
			error);
}

static struct client *connect_to_kafka(struct check *check)
{
	const struct client_options options = { 0 };
	struct client_error error;
	int status = EXIT_CONFIG;
	struct client *client = try_clients(check->config, error.text)
		? client_new(check->config, &options, &status, &error)
		: NULL;

	if (!client && status == EXIT_CONFIG)
		check_failed(check, status, "Kafka",
			"correct kafka.properties or the file of kafka.propertiesFile", "%s",
			error.text);
	else if (!client)
		check_failed(check, status, "Kafka",
			"is the broker running? kafka.bootstrapServers sets its address, "
			"kafka.properties sets security.protocol, sasl.* and ssl.*",
			"%s", error.text);
	return client;
}

void check_kafka(struct check *check)
{
	struct topic_check at = { .check = check };
	struct client *client = connect_to_kafka(check);
	rd_kafka_resp_err_t code;

	if (!client)
		return;
	code = rd_kafka_metadata(client_handle(client), 1, NULL, &at.metadata, METADATA_TIMEOUT_MS);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
		check_ok(check, "Kafka", "%d broker%s, the first at %s:%d", at.metadata->broker_cnt,
			at.metadata->broker_cnt == 1 ? "" : "s", at.metadata->brokers[0].host,
			at.metadata->brokers[0].port);
		check_topics(&at);
		check_replies(&at);
		add_usual_topics(&at);
		rd_kafka_metadata_destroy(at.metadata);
		check_rights(check, client, &at.topics);
		check_sizes(check, client, &at.topics);
		topic_uses_free(&at.topics);
	} else {
		check_failed(check, EXIT_KAFKA, "Kafka", NULL, "cannot list topics: %s",
			rd_kafka_err2str(code));
	}
	client_free(client);
}
