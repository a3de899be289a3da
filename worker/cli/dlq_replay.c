/*
 * dlq_replay.c - `stowage dlq replay`: sends dead letters to their original topics again
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "worker/cli/dlq_range.h"
#include "worker/client/dlq.h"

#define FLUSH_TIMEOUT_MS 300000
#define PROGRESS_EVERY 1000

struct replay {
	struct cli *cli;
	struct client *client;
	bool dry_run;
	uint64_t sent, delivered;
	char failure[CLIENT_ERROR_MAX]; /* the first failure; "" while there is none */
};

static void dlq_replay_on_delivered(void *arg, const rd_kafka_message_t *message, const char *error)
{
	struct replay *replay = arg;

	if (!error)
		replay->delivered++;
	else if (!*replay->failure)
		snprintf(replay->failure, sizeof(replay->failure), "%s rejected a message: %s",
			rd_kafka_topic_name(message->rkt), error);
}

/* The original headers, without the headers that describe the failure. */
static rd_kafka_headers_t *original_headers(const rd_kafka_message_t *message)
{
	rd_kafka_headers_t *headers, *kept = rd_kafka_headers_new(8);
	const char *name;
	const void *value;
	size_t size;

	if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return kept;
	for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == 0; i++)
		if (strncmp(name, DLQ_CONTEXT, strlen(DLQ_CONTEXT)) != 0)
			rd_kafka_header_add(kept, name, -1, value, (ssize_t)size);
	return kept;
}

/* The original topic, from the headers, else from the dead-letter topic's name. The caller frees
 * it. */
static char *original_topic(const rd_kafka_message_t *message)
{
	const char *topic = rd_kafka_topic_name(message->rkt);
	char *named = dlq_header(message, DLQ_CONTEXT "topic");

	return named && *named ? named : alloc_bytes(topic, strlen(topic) - strlen(DLQ_SUFFIX));
}

/* The original partition, so that dead letters of one partition keep their order. If the topic has
 * fewer partitions now, the key selects one. -2 if the topic does not exist. */
static int32_t original_partition(struct replay *replay, const rd_kafka_message_t *message,
	const char *topic)
{
	int64_t partition = dlq_header_number(message, DLQ_CONTEXT "partition");
	int32_t partitions = 0;

	if (topics_lookup(client_topics(replay->client), topic, strlen(topic), &partitions) !=
		TOPIC_THERE)
		return -2;
	return partition >= 0 && partition < partitions ? (int32_t)partition
							: RD_KAFKA_PARTITION_UA;
}

static bool send_again(struct replay *replay, const rd_kafka_message_t *message, const char *topic,
	int32_t partition)
{
	const struct client_message again = {
		.topic = topic,
		.partition = partition,
		.key = message->key,
		.key_size = message->key_len,
		.value = message->payload,
		.value_size = message->len,
		.timestamp_ms = dlq_timestamp(message),
		.headers = original_headers(message),
	};

	replay->sent++;
	return client_produce(replay->client, &again, replay->failure);
}

static bool replay_one(void *arg, const rd_kafka_message_t *message)
{
	struct replay *replay = arg;
	char *topic = original_topic(message);
	int32_t partition = original_partition(replay, message, topic);
	bool ok = true;

	if (partition == -2) {
		snprintf(replay->failure, sizeof(replay->failure), "topic %s does not exist",
			topic);
		ok = false;
	} else if (replay->dry_run) {
		printf("%s [%d] %" PRId64 " -> %s [%d]\n", rd_kafka_topic_name(message->rkt),
			message->partition, message->offset, topic, partition);
		replay->sent++;
	} else {
		ok = send_again(replay, message, topic, partition);
		client_poll(replay->client, 0);
		if (replay->sent % PROGRESS_EVERY == 0)
			cli_progress(replay->cli, "%" PRIu64 " sent", replay->sent);
	}
	free(topic);
	return ok && !*replay->failure;
}

static int dlq_replay_finish(struct replay *replay)
{
	int left = replay->dry_run ? 0 : client_flush(replay->client, FLUSH_TIMEOUT_MS);

	cli_progress_end(replay->cli);
	if (!*replay->failure && left > 0)
		snprintf(replay->failure, sizeof(replay->failure),
			"Kafka has not acknowledged %d messages", left);
	if (replay->dry_run)
		printf("would send %" PRIu64 " dead letters again\n", replay->sent);
	else
		printf("sent %" PRIu64 " dead letters again\n", replay->delivered);
	if (!*replay->failure)
		return EXIT_OK;
	cli_error(replay->cli,
		"the line above counts the dead letters that were sent; continue with --from", "%s",
		replay->failure);
	return EXIT_KAFKA;
}

static int dlq_replay_run(struct cli *cli)
{
	struct replay replay = { .cli = cli, .dry_run = cli_given(cli, "dry-run") };
	const struct client_options options = {
		.linger_ms = 5, .delivered = dlq_replay_on_delivered, .arg = &replay
	};
	const struct config *config;
	struct client_error error;
	struct dlq_range range;
	int status;

	if (!dlq_range_read(cli, &range))
		return EXIT_USAGE;
	if ((range.from >= 0 || range.to >= 0) && (!range.topic || range.partition < 0))
		return cli_usage_error(cli, "--from and --to require --topic and --partition");
	config = cli_config(cli);
	if (!config)
		return EXIT_CONFIG;
	replay.client = cli_client(cli, config, &options, &status);
	if (replay.client && dlq_walk(config, replay.client, &range, replay_one, &replay, &error)) {
		status = dlq_replay_finish(&replay);
	} else if (replay.client) {
		cli_error(cli, error.hint, "%s", error.text);
		status = EXIT_KAFKA;
	}
	client_free(replay.client);
	return status;
}

const struct cli_command cli_dlq_replay = {
	.group = "dlq",
	.name = "replay",
	.summary = "send dead letters to their original topics again",
	.usage = "[--topic TOPIC] [--partition N [--from OFFSET] [--to OFFSET]] [--dry-run]",
	.help = "Sends them in order, with the original key, value, timestamp and headers, to the original\n"
		"topic and partition. They also stay in the dead-letter topic, so a second replay sends\n"
		"them again. To avoid that, note the last offset and continue with --from.",
	.options =
		(const struct cli_option[]){
			DLQ_RANGE_OPTIONS,
			{ "dry-run", NULL,
				"print the messages and their targets without sending them" },
			{ NULL, NULL, NULL },
		},
	.run = dlq_replay_run,
};
