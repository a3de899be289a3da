/*
 * topics.c - `stowage topics create`: creates missing topics
 */
#include <stdio.h>
#include <string.h>

#include "handlers/domains/command_table.h"
#include "worker/cli/cli.h"
#include "worker/client/client.h"
#include "worker/kafka/topic_create.h"

struct creation {
	struct cli *cli;
	struct client *client;
	int partitions, replication;
	bool dry_run;
	int status;
};

/* The topics named on the command line, by default all topics that the worker needs. */
static struct config_list wanted_topics(const struct cli *cli, const struct config *config)
{
	struct config_list names = { 0 };

	for (int i = 0; i < cli->operand_count; i++)
		topic_create_names_add(&names, cli->operands[i]);
	return cli->operand_count > 0
		? names
		: topic_create_names(config, command_domains, command_domain_count);
}

static void cli_topics_failed(struct creation *creation, const char *topic, const char *why)
{
	cli_error(creation->cli, NULL, "cannot create topic %s: %s", topic, why);
	creation->status = EXIT_KAFKA;
}

static void create_topic(struct creation *creation, const char *topic)
{
	char error[CLIENT_ERROR_MAX];

	switch (topic_create(client_handle(creation->client), topic, creation->partitions,
		creation->replication, error, sizeof(error))) {
	case TOPIC_CREATED:
		printf("created  %s, %d partitions\n", topic, creation->partitions);
		break;
	case TOPIC_WAS_THERE:
		printf("exists   %s\n", topic);
		break;
	default:
		cli_topics_failed(creation, topic, error);
	}
}

/* Leaves an existing topic unchanged. */
static void create_missing(struct creation *creation, const char *topic)
{
	int32_t partitions = 0;

	switch (topics_lookup(client_topics(creation->client), topic, strlen(topic), &partitions)) {
	case TOPIC_THERE:
		printf("exists   %s, %d partitions\n", topic, partitions);
		break;
	case TOPIC_UNREACHABLE:
		client_poll(creation->client, 0);
		cli_topics_failed(creation, topic, client_complaint(creation->client));
		break;
	default:
		if (creation->dry_run)
			printf("missing  %s\n", topic);
		else
			create_topic(creation, topic);
	}
}

static int create_all(struct creation *creation, const struct config *config)
{
	struct config_list names;
	int status;

	creation->client = cli_client(creation->cli, config, NULL, &status);
	if (!creation->client)
		return status;
	names = wanted_topics(creation->cli, config);
	for (size_t i = 0; i < names.count; i++)
		create_missing(creation, names.items[i]);
	topic_create_names_free(&names);
	client_free(creation->client);
	return creation->status;
}

static int cli_topics_run(struct cli *cli)
{
	struct creation creation = { .cli = cli, .dry_run = cli_given(cli, "dry-run") };
	const struct config *config = cli_config(cli);
	long long partitions, replication;

	if (!config)
		return EXIT_CONFIG;
	if (!cli_number(cli, "partitions", 1, 10000, config->kafka.topic_partitions, &partitions) ||
		!cli_number(cli, "replication", -1, 100, config->kafka.topic_replication,
			&replication))
		return EXIT_USAGE;
	creation.partitions = (int)partitions;
	creation.replication = (int)replication;
	return create_all(&creation, config);
}

const struct cli_command cli_topics_create = {
	.group = "topics",
	.name = "create",
	.summary = "create missing command, dead-letter and reply topics",
	.usage = "[TOPIC...] [--partitions N] [--replication N] [--dry-run]",
	.help = "Creates mastra.commands.<domain> for every domain and the topics named by kafka.topics,\n"
		"each with its dead-letter topic (.dlq), and " TOPIC_REPLIES
		". With arguments, creates only the\n"
		"named topics, such as a client's own reply topic. Does not change existing topics.",
	.options =
		(const struct cli_option[]){
			{ "partitions", "N",
				"partitions of each new topic (kafka.topicPartitions)" },
			{ "replication", "N",
				"replication factor (kafka.topicReplication; -1: the broker's\n"
				"default)" },
			{ "dry-run", NULL, "print missing topics without creating them" },
			{ NULL, NULL, NULL },
		},
	.operands_max = -1,
	.run = cli_topics_run,
};
