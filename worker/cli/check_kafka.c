/*
 * check_kafka.c - checks the brokers and the topics
 */
#include "worker/cli/check_kafka.h"

#include <stdio.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "worker/client/client.h"
#include "worker/kafka/topic_create.h"
#include "worker/kafka/topic_match.h"

#define METADATA_TIMEOUT_MS 10000

struct topic_check {
	struct check *check;
	const struct rd_kafka_metadata *metadata; /* of all topics that this user may describe */
};

static bool topic_exists(const struct topic_check *at, const char *name)
{
	for (int i = 0; i < at->metadata->topic_cnt; i++)
		if (strcmp(at->metadata->topics[i].topic, name) == 0)
			return true;
	return false;
}

static void check_dead_letters(struct topic_check *at, const char *topic)
{
	char name[300];

	snprintf(name, sizeof(name), "%s" TOPIC_DEAD_LETTERS, topic);
	if (!topic_exists(at, name))
		check_failed(at->check, EXIT_KAFKA, "dead letters",
			"`stowage topics create` creates it",
			"topic %s does not exist: a message that fails for good would stop its partition",
			name);
}

static int check_pattern(struct topic_check *at, const char *pattern)
{
	int found = 0;

	for (int i = 0; i < at->metadata->topic_cnt; i++) {
		const char *name = at->metadata->topics[i].topic;

		if (topic_match_dead_letters(name) || !topic_match_pattern(pattern, name))
			continue;
		found++;
		check_dead_letters(at, name);
	}
	return found;
}

static void check_topics(struct topic_check *at)
{
	const struct config_list *topics = &at->check->config->kafka.topics;

	for (size_t i = 0; i < topics->count; i++) {
		const char *topic = topics->items[i];
		int found = topic[0] == '^' ? check_pattern(at, topic) : topic_exists(at, topic);

		if (topic[0] == '^' && found)
			check_ok(at->check, "command topics", "%d match %s", found, topic);
		else if (topic[0] == '^')
			check_failed(at->check, EXIT_KAFKA, "command topics",
				"`stowage topics create` creates the topics of all domains",
				"no topic matches %s", topic);
		else if (found)
			check_ok(at->check, "command topics", "%s exists", topic);
		else
			check_failed(at->check, EXIT_KAFKA, "command topics",
				"create it with the broker's own tool, or correct kafka.topics",
				"topic %s does not exist", topic);
		if (found && topic[0] != '^')
			check_dead_letters(at, topic);
	}
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

/* Creates a producer and a consumer as the worker does, because librdkafka checks more properties
 * for a consumer. */
static struct client *connect_to_kafka(struct check *check)
{
	const struct client_options options = { 0 };
	struct client_error error;
	int status = EXIT_CONFIG;
	rd_kafka_t *reader = client_reader_new(check->config, error.text);
	struct client *client = reader ? client_new(check->config, &options, &status, &error)
				       : NULL;

	client_reader_free(reader);
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
		rd_kafka_metadata_destroy(at.metadata);
	} else {
		check_failed(check, EXIT_KAFKA, "Kafka", NULL, "cannot list topics: %s",
			rd_kafka_err2str(code));
	}
	client_free(client);
}
