/*
 * check_rights.c - compares what brokers allow with what the worker does
 */
#include "worker/cli/check_rights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/domains/command_table.h"
#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"
#include "worker/client/rights.h"
#include "worker/kafka/topic_create.h"

/* A producer that may not write idempotently learns it this soon after it connects. */
#define PRODUCER_WAIT_MS 2000

struct operation {
	rd_kafka_AclOperation_t code;
	const char *name;
};

#define OPERATIONS_MAX 2

/* DESCRIBE comes with READ and WRITE unless an ACL denies it. */
static const struct {
	const char *what;      /* the check's name */
	const char *called;    /* in a sentence */
	const char *otherwise; /* what the worker cannot do without the right */
	const char *missing;   /* ... without the topic */
	const char *create;    /* hint */
	struct operation needs[OPERATIONS_MAX];
} uses[] = {
	[USE_COMMANDS] = { "command topics", "command topic", "the worker cannot read its commands",
		"the worker waits for it",
		"create it with the broker's own tool, or correct kafka.topics",
		{ { RD_KAFKA_ACL_OPERATION_READ, "Read" },
			{ RD_KAFKA_ACL_OPERATION_DESCRIBE, "Describe" } } },
	[USE_DEAD_LETTERS] = { "dead letters", "dead-letter topic",
		"a message that fails for good would hold its partition",
		"a message that fails for good would stop its partition",
		"`stowage topics create` creates it",
		{ { RD_KAFKA_ACL_OPERATION_WRITE, "Write" },
			{ RD_KAFKA_ACL_OPERATION_DESCRIBE, "Describe" } } },
	[USE_REPLIES] = { "reply topics", "reply topic", "commands that name it would wait",
		"commands that name it would become dead letters",
		"`stowage topics create` creates it",
		{ { RD_KAFKA_ACL_OPERATION_WRITE, "Write" },
			{ RD_KAFKA_ACL_OPERATION_DESCRIBE, "Describe" } } },
};

void topic_uses_add(struct topic_uses *topics, const char *name, enum topic_use use, bool optional)
{
	for (size_t i = 0; i < topics->count; i++)
		if (strcmp(topics->items[i].name, name) == 0)
			return;
	topics->items = alloc_grow(topics->items, topics->count + 1, sizeof(*topics->items));
	topics->items[topics->count++] = (struct topic_item){ alloc_copy(name), use, optional };
}

void topic_uses_free(struct topic_uses *topics)
{
	for (size_t i = 0; i < topics->count; i++)
		free(topics->items[i].name);
	free(topics->items);
	*topics = (struct topic_uses){ 0 };
}

static void right_missing(struct check *check, const char *operation, const char *resource,
	const char *name, const char *option, const char *otherwise)
{
	char *hint = alloc_printf("grant it to this user: kafka-acls.sh --add "
				  "--allow-principal User:NAME --operation %s %s%s%s",
		operation, option, name ? " " : "", name ? name : "");

	check_failed(check, EXIT_KAFKA, "rights", hint, "%s is not allowed on %s%s%s: %s",
		operation, resource, name ? " " : "", name ? name : "", otherwise);
	free(hint);
}

/* Returns the number of failures. */
static int check_topic(struct check *check, const struct topic_item *topic,
	const struct rights *rights)
{
	enum topic_use use = topic->use;
	const char *name = topic->name;
	int failures = 0;

	switch (rights->error) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		break;
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
		if (topic->optional)
			return 0;
		check_failed(check, EXIT_KAFKA, uses[use].what, uses[use].create,
			"topic %s does not exist: %s", name, uses[use].missing);
		return 1;
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
		right_missing(check, "Describe", uses[use].called, name, "--topic",
			uses[use].otherwise);
		return 1;
	default:
		check_failed(check, EXIT_KAFKA, uses[use].what, NULL, "topic %s: %s", name,
			rd_kafka_err2str(rights->error));
		return 1;
	}
	for (size_t i = 0; i < OPERATIONS_MAX && rights->known; i++) {
		const struct operation *need = &uses[use].needs[i];

		if (rights_include(rights, need->code))
			continue;
		right_missing(check, need->name, uses[use].called, name, "--topic",
			uses[use].otherwise);
		failures++;
	}
	return failures;
}

/* Sets *writes if this user may write to one of the topics. Returns the number of failures. */
static int check_topic_rights(struct check *check, struct client *client,
	const struct topic_uses *topics, bool *writes, bool *known)
{
	struct rights *rights = alloc_zero(topics->count, sizeof(*rights));
	const char **names = alloc_zero(topics->count, sizeof(*names));
	struct client_error error;
	int failures = 0;
	bool answered;

	for (size_t i = 0; i < topics->count; i++)
		names[i] = topics->items[i].name;
	answered = rights_of_topics(client, names, topics->count, rights, &error);
	free(names);
	if (!answered) {
		check_failed(check, EXIT_KAFKA, "rights", error.hint, "%s", error.text);
		free(rights);
		return 1;
	}
	for (size_t i = 0; i < topics->count; i++) {
		failures += check_topic(check, &topics->items[i], &rights[i]);
		*writes = *writes || rights_include(&rights[i], RD_KAFKA_ACL_OPERATION_WRITE);
		*known = *known && (rights[i].known || rights[i].error);
	}
	free(rights);
	return failures;
}

/* A group without members may be unknown to the brokers, and has no rights to report then. */
static int check_group_rights(struct check *check, struct client *client)
{
	static const struct operation needs[] = { { RD_KAFKA_ACL_OPERATION_READ, "Read" },
		{ RD_KAFKA_ACL_OPERATION_DESCRIBE, "Describe" } };
	static const char otherwise[] = "the worker cannot join it";
	const char *group = check->config->kafka.group_id;
	struct client_error error;
	struct rights rights = { 0 };
	int failures = 0;

	if (!rights_of_group(client, group, &rights, &error)) {
		check_failed(check, EXIT_KAFKA, "rights", error.hint, "%s", error.text);
		return 1;
	}
	if (rights.error == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED) {
		right_missing(check, "Describe", "group", group, "--group", otherwise);
		return 1;
	}
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]) && rights.known; i++) {
		if (rights_include(&rights, needs[i].code))
			continue;
		right_missing(check, needs[i].name, "group", group, "--group", otherwise);
		failures++;
	}
	return failures;
}

/* Since Kafka 2.8 the right to write to any topic is enough. The broker's answer to the producer counts. */
static bool producer_is_refused(struct client *client)
{
	int64_t until = clock_tick_ms() + PRODUCER_WAIT_MS;
	char reason[256];

	while (clock_tick_ms() < until) {
		client_poll(client, 50);
		if (rd_kafka_fatal_error(client_handle(client), reason, sizeof(reason)))
			return true;
	}
	return false;
}

static int check_cluster_rights(struct check *check, struct client *client, bool writes)
{
	struct client_error error;
	struct rights rights = { 0 };

	if (!rights_of_cluster(client, &rights, &error)) {
		check_failed(check, EXIT_KAFKA, "rights", error.hint, "%s", error.text);
		return 1;
	}
	if (!rights.known || rights_include(&rights, RD_KAFKA_ACL_OPERATION_IDEMPOTENT_WRITE) ||
		(writes && !producer_is_refused(client)))
		return 0;
	right_missing(check, "IdempotentWrite", "the cluster", NULL, "--cluster",
		"the worker cannot send replies and dead letters");
	return 1;
}

/* For a worker that creates its topics at the start. The right may come from the cluster, from the topic or from a
 * prefix of its name, so this asks the brokers what they would answer. */
static int check_create_rights(struct check *check, struct client *client)
{
	const struct config *config = check->config;
	struct config_list names = topic_create_names(config, command_domains,
		command_domain_count);
	int failures = 0;

	for (size_t i = 0; config->kafka.create_topics && i < names.count && !failures; i++) {
		if (!topic_create_is_forbidden(client_handle(client), names.items[i],
			    (int)config->kafka.topic_partitions,
			    (int)config->kafka.topic_replication))
			continue;
		right_missing(check, "Create", "topic", names.items[i], "--topic",
			"the worker cannot create it (kafka.createTopics)");
		failures++;
	}
	topic_create_names_free(&names);
	return failures;
}

void check_rights(struct check *check, struct client *client, const struct topic_uses *topics)
{
	bool writes = false, known = true;
	int failures = check_topic_rights(check, client, topics, &writes, &known);

	failures += check_group_rights(check, client);
	failures += check_cluster_rights(check, client, writes);
	failures += check_create_rights(check, client);
	if (failures == 0 && known)
		check_ok(check, "rights",
			"everything that the worker does on %zu topics, in group %s "
			"and on the cluster is allowed",
			topics->count, check->config->kafka.group_id);
	else if (!known)
		check_note(check, "rights", NULL, "not checked: the brokers do not report them");
}
