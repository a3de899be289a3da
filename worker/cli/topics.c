/*
 * topics.c - `stowage topics create`
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

/* Those named on the command line, else all that the worker needs. */
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
	cli_error(creation->cli, NULL, "cannot make topic %s: %s", topic, why);
	creation->status = EXIT_KAFKA;
}

static void create_topic(struct creation *creation, const char *topic)
{
	char error[CLIENT_ERROR_MAX];

	switch (topic_create(client_handle(creation->client), topic, creation->partitions,
		creation->replication, error, sizeof(error))) {
	case TOPIC_CREATED:
		printf("made     %s, %d partitions\n", topic, creation->partitions);
		break;
	case TOPIC_WAS_THERE:
		printf("is there %s\n", topic);
		break;
	default:
		cli_topics_failed(creation, topic, error);
	}
}

/* Those that are there are left as they are. */
static void create_missing(struct creation *creation, const char *topic)
{
	int32_t partitions = 0;

	switch (topics_lookup(client_topics(creation->client), topic, strlen(topic), &partitions)) {
	case TOPIC_THERE:
		printf("is there %s, %d partitions\n", topic, partitions);
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
	.summary = "make the command, dead-letter and reply topics that are missing",
	.usage = "[TOPIC...] [--partitions N] [--replication N] [--dry-run]",
	.help = "mastra.commands.<domain> of every domain and the topics that kafka.topics names, each\n"
		"with its dead-letter topic (.dlq), and " TOPIC_REPLIES
		". If topics are named, only these: a\n"
		"client's own reply topic. Topics that are there are left as they are.",
	.options =
		(const struct cli_option[]){
			{ "partitions", "N",
				"partitions of each new topic (kafka.topicPartitions)" },
			{ "replication", "N",
				"copies of each partition (kafka.topicReplication; -1: the broker's\n"
				"default)" },
			{ "dry-run", NULL, "print what is missing and make nothing" },
			{ NULL, NULL, NULL },
		},
	.operands_max = -1,
	.run = cli_topics_run,
};
