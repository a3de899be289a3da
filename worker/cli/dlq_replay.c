/*
 * dlq_replay.c - `stowage dlq replay`: sends dead letters to their original topics again
 *
 * A transaction holds each replayed command and its mark (dlq.h), so the dead-letter topic knows exactly what
 * was replayed, whatever crashes when. The transactional id names the partition of the dead-letter topic: a
 * second run at the same time ends the first one's transaction before it reads the marks.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "worker/cli/dlq_filter.h"
#include "worker/cli/dlq_range.h"
#include "worker/client/dlq.h"
#include "worker/client/dlq_original.h"
#include "worker/client/kafka_transaction.h"
#include "worker/kafka/topic_match.h"

/* A transaction holds back the readers of its topics until it ends. */
#define BATCH_MESSAGES 100
#define BATCH_BYTES (1024 * 1024)

struct replay {
	struct cli *cli;
	const struct config *config;
	struct client *client; /* asks */
	struct client *sender; /* sends from the partition that is read; NULL: none yet */
	rd_kafka_t *originals; /* reads commands whose dead letters have no value; NULL: not yet */
	struct codec *codec;
	struct dlq_filter filter;
	bool dry_run, any_topic, again;
	int64_t limit; /* -1: none */
	char *topic; /* the partition that is read, and the first offset that is not sent for sure */
	int32_t partition;
	int64_t at;
	uint64_t open; /* dead letters in the open transaction */
	size_t open_bytes;
	/* before: replayed by an earlier run; foreign, gone: left out */
	uint64_t sent, before, foreign, gone;
	bool limited; /* the limit stopped it */
	bool failed;
	struct client_error failure;
};

static bool replay_fail(struct replay *replay, const char *why)
{
	if (!replay->failed)
		client_error_set(&replay->failure, NULL, "%s", why);
	replay->failed = true;
	return false;
}

static void dlq_replay_on_delivered(void *arg, const rd_kafka_message_t *message, const char *error)
{
	struct replay *replay = arg;
	char why[CLIENT_ERROR_MAX];

	/* Messages of an aborted transaction are purged: the cause is known. */
	if (!error || message->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
		message->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
		return;
	snprintf(why, sizeof(why), "%s rejected a message: %s", rd_kafka_topic_name(message->rkt),
		error);
	replay_fail(replay, why);
}

/* The original headers, without the headers that describe the failure. A dead letter that went without them has them
 * in `original`. */
static rd_kafka_headers_t *original_headers(const rd_kafka_message_t *message,
	const rd_kafka_message_t *original)
{
	rd_kafka_headers_t *headers, *kept = rd_kafka_headers_new(8);
	char from[320];
	const char *name;
	const void *value;
	size_t size;

	snprintf(from, sizeof(from), "%s/%d/%" PRId64, rd_kafka_topic_name(message->rkt),
		message->partition, message->offset);
	rd_kafka_header_add(kept, DLQ_REPLAYED_FROM, -1, from, -1);
	if (dlq_header_number(message, DEAD_LETTER_HEADERS_OMITTED) >= 0)
		message = original;
	if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return kept;
	for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == 0; i++)
		if (strncmp(name, DLQ_CONTEXT, strlen(DLQ_CONTEXT)) != 0 &&
			strcmp(name, DLQ_REPLAYED_FROM) != 0 && strcmp(name, DLQ_MARK) != 0)
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

/* The original timestamp could be so old that retention deletes the command before a worker reads it. */
static bool send_again(struct replay *replay, const rd_kafka_message_t *message, const char *topic,
	int32_t partition, const rd_kafka_message_t *original)
{
	const struct client_message again = {
		.topic = topic,
		.partition = partition,
		.key = original->key,
		.key_size = original->key_len,
		.value = original->payload,
		.value_size = original->len,
		.headers = original_headers(message, original),
	};
	char why[CLIENT_ERROR_MAX];

	return client_produce(replay->sender, &again, why) || replay_fail(replay, why);
}

/* The mark has a key, because a compacted topic takes no record without one, and a value for people. */
static bool send_mark(struct replay *replay, const rd_kafka_message_t *message, const char *topic)
{
	char offset[24], key[64], value[400], why[CLIENT_ERROR_MAX];
	struct client_message mark = {
		.topic = rd_kafka_topic_name(message->rkt),
		.partition = message->partition,
		.headers = rd_kafka_headers_new(1),
		.key = key,
		.value = value,
	};

	snprintf(offset, sizeof(offset), "%" PRId64, message->offset);
	mark.key_size = (size_t)snprintf(key, sizeof(key), "replayed %d/%s", message->partition,
		offset);
	mark.value_size = (size_t)snprintf(value, sizeof(value),
		"{\"replayed\": {\"partition\": %d, \"offset\": %s, \"to\": \"%s\"}}",
		message->partition, offset, topic);
	rd_kafka_header_add(mark.headers, DLQ_MARK, -1, offset, -1);
	return client_produce(replay->sender, &mark, why) || replay_fail(replay, why);
}

static bool replay_commit(struct replay *replay)
{
	struct client_error error;

	if (replay->open == 0)
		return true;
	if (replay->failed) {
		kafka_transaction_abort(replay->sender);
		return false;
	}
	if (kafka_transaction_commit(replay->sender, &error)) {
		replay->sent += replay->open;
		replay->open = 0;
		cli_progress(replay->cli, "%" PRIu64 " sent", replay->sent);
		return true;
	}
	if (!replay->failed) /* else the delivery report says why */
		replay->failure = error;
	replay->failed = true;
	return false;
}

/* `value` is the message whose value goes: the dead letter, or the original of one without its value. */
static bool replay_send(struct replay *replay, const rd_kafka_message_t *message, const char *topic,
	int32_t partition, const rd_kafka_message_t *value)
{
	if (replay->open == 0) {
		replay->open_bytes = 0;
		if (!kafka_transaction_begin(replay->sender, &replay->failure)) {
			replay->failed = true;
			return false;
		}
	}
	replay->open++;
	replay->open_bytes += value->len;
	if (!send_again(replay, message, topic, partition, value) ||
		!send_mark(replay, message, topic))
		return false;
	client_poll(replay->sender, 0);
	if (replay->open < BATCH_MESSAGES && replay->open_bytes < BATCH_BYTES)
		return true;
	return replay_commit(replay);
}

static bool replay_with(struct replay *replay, const rd_kafka_message_t *message, const char *topic,
	int32_t partition, const rd_kafka_message_t *value)
{
	if (!replay->dry_run)
		return replay_send(replay, message, topic, partition, value);
	printf("%s [%d] %" PRId64 " -> %s [%d]\n", rd_kafka_topic_name(message->rkt),
		message->partition, message->offset, topic, partition);
	replay->sent++;
	return true;
}

/* A dry run looks the original up too, so that it counts what a real one would send. No transaction stays
 * open meanwhile: brokers may be slow to say that a message is gone, and end transactions of some age. */
static bool replay_original(struct replay *replay, const rd_kafka_message_t *message,
	const char *topic, int32_t partition)
{
	rd_kafka_message_t *original;
	bool ok;

	if (!replay_commit(replay))
		return false;
	replay->at = message->offset;
	if (!replay->originals)
		replay->originals = client_reader_new(replay->config, replay->failure.text);
	switch (replay->originals ? dlq_original_read(replay->client, replay->originals, message,
					    &original, &replay->failure)
				  : DLQ_ORIGINAL_FAILED) {
	case DLQ_ORIGINAL_FOUND:
		ok = replay_with(replay, message, topic, partition, original);
		rd_kafka_message_destroy(original);
		return ok;
	case DLQ_ORIGINAL_GONE:
		replay->gone++;
		cli_note(replay->cli,
			"left out %s [%d] offset %" PRId64
			": it has no value, and its command's topic no longer has the original message",
			rd_kafka_topic_name(message->rkt), message->partition, message->offset);
		return true;
	case DLQ_ORIGINAL_FAILED:
		break;
	}
	replay->failed = true;
	return false;
}

static bool replay_to(struct replay *replay, const rd_kafka_message_t *message, const char *topic)
{
	int32_t partition = original_partition(replay, message, topic);
	char why[CLIENT_ERROR_MAX];

	if (partition == -2) {
		snprintf(why, sizeof(why), "topic %s does not exist", topic);
		return replay_fail(replay, why);
	}
	return dlq_original_needed(message)
		? replay_original(replay, message, topic, partition)
		: replay_with(replay, message, topic, partition, message);
}

static bool replay_letter(void *arg, const rd_kafka_message_t *message, bool replayed)
{
	struct replay *replay = arg;
	bool ok = true;
	char *topic;

	if (replay->open == 0)
		replay->at = message->offset;
	if (!dlq_filter_matches(&replay->filter, replay->codec, message))
		return true;
	if (replayed && !replay->again) {
		replay->before++;
		return true;
	}
	topic = original_topic(message);
	if (!replay->any_topic && !topic_match_command(replay->config, topic)) {
		replay->foreign++;
	} else if (replay->limit >= 0 && replay->sent + replay->open >= (uint64_t)replay->limit) {
		if (replay_commit(replay))
			replay->at = message->offset;
		replay->limited = true;
		ok = false;
	} else {
		ok = replay_to(replay, message, topic);
	}
	free(topic);
	return ok && !replay->failed;
}

/* Ends the previous partition, and takes the next one over from any other run. */
static bool replay_partition(void *arg, const char *topic, int32_t partition)
{
	struct replay *replay = arg;
	char *id = alloc_printf("stowage-dlq-replay-%s-%d", topic, partition);
	const struct client_options options = { .linger_ms = 5,
		.delivered = dlq_replay_on_delivered,
		.arg = replay,
		.transactional_id = id };
	int status;
	bool ok = replay_commit(replay);

	if (ok) {
		client_free(replay->sender);
		replay->sender = NULL;
		free(replay->topic);
		replay->topic = alloc_copy(topic);
		replay->partition = partition;
		replay->at = 0;
	}
	if (ok && !replay->dry_run) {
		replay->sender = client_new(replay->config, &options, &status, &replay->failure);
		ok = replay->sender && kafka_transaction_init(replay->sender, &replay->failure);
		replay->failed = !ok;
	}
	free(id);
	return ok;
}

static void replay_print(const struct replay *replay)
{
	printf(replay->dry_run ? "would send %" PRIu64 " dead letters again\n"
			       : "sent %" PRIu64 " dead letters again\n",
		replay->sent);
	if (replay->before)
		printf("left out %" PRIu64 " that were replayed before; --again sends them\n",
			replay->before);
	if (replay->foreign)
		printf("left out %" PRIu64
		       " from topics that the worker does not read; --any-topic "
		       "sends them\n",
			replay->foreign);
	if (replay->gone)
		printf("left out %" PRIu64 " whose original messages are gone\n", replay->gone);
	if (replay->limited)
		printf("stopped at %s [%d] offset %" PRId64 ": run it again to continue\n",
			replay->topic, replay->partition, replay->at);
}

/* Prints why it stopped, and returns the exit status. */
static int replay_stopped(const struct replay *replay)
{
	char *where;

	if (!replay->topic) {
		cli_error(replay->cli, replay->failure.hint, "%s", replay->failure.text);
		return EXIT_KAFKA;
	}
	where = alloc_printf("%s%sstopped at %s [%d] offset %" PRId64
			     "; run it again to continue there: what was sent is not sent twice",
		replay->failure.hint ? replay->failure.hint : "", replay->failure.hint ? "; " : "",
		replay->topic, replay->partition, replay->at);
	cli_error(replay->cli, where, "%s", replay->failure.text);
	free(where);
	return EXIT_KAFKA;
}

static int dlq_replay_finish(struct replay *replay)
{
	if (!replay->failed)
		(void)replay_commit(replay);
	cli_progress_end(replay->cli);
	replay_print(replay);
	if (replay->failed)
		return replay_stopped(replay);
	if (!replay->gone)
		return EXIT_OK;
	cli_error(replay->cli,
		"their clients must send these commands again; `stowage dlq show` prints key and headers",
		"%" PRIu64 " dead letters cannot be sent: retention removed the original messages",
		replay->gone);
	return EXIT_FAILED;
}

static int replay_walk(struct replay *replay, const struct dlq_range *range)
{
	const struct dlq_visitor visitor = { replay_partition, replay_letter, replay };
	struct client_error error;
	char why[CODEC_WHY_MAX];
	int status;

	replay->codec = codec_new(why);
	if (!replay->codec) {
		cli_error(replay->cli, NULL, "%s", why);
		return EXIT_FAILED;
	}
	replay->client = cli_client(replay->cli, replay->config, NULL, &status);
	if (!replay->client)
		return status;
	if (!dlq_walk(replay->config, replay->client, range, &visitor, &error) &&
		replay_commit(replay)) {
		replay->failure = error;
		replay->failed = true;
	}
	return dlq_replay_finish(replay);
}

static int dlq_replay_run(struct cli *cli)
{
	struct replay replay = { .cli = cli,
		.dry_run = cli_given(cli, "dry-run"),
		.any_topic = cli_given(cli, "any-topic"),
		.again = cli_given(cli, "again") };
	struct dlq_range range;
	int status;

	if (!dlq_range_read(cli, &range) || !dlq_filter_read(cli, &replay.filter))
		return EXIT_USAGE;
	if ((range.from >= 0 || range.to >= 0) && (!range.topic || range.partition < 0))
		return cli_usage_error(cli, "--from and --to require --topic and --partition");
	replay.limit = range.limit;
	range.limit = -1;
	replay.config = cli_config(cli);
	if (!replay.config)
		return EXIT_CONFIG;
	status = replay_walk(&replay, &range);
	client_free(replay.sender);
	client_free(replay.client);
	client_reader_free(replay.originals);
	codec_free(replay.codec);
	free(replay.topic);
	return status;
}

const struct cli_command cli_dlq_replay = {
	.group = "dlq",
	.name = "replay",
	.summary = "send dead letters to their original topics again",
	.usage = "[--topic TOPIC] [--partition N [--from OFFSET] [--to OFFSET]] [OPTION...]",
	.help = "Sends them in order, with the original key, value and headers, to the original topic and\n"
		"partition, if the worker reads that topic. They also stay in the dead-letter topic, where a\n"
		"mark says that they were replayed: no later run sends them again, also if this one fails\n"
		"midway or two run at once. What a dead letter went without comes from the\n"
		"command's topic; if retention has removed it there, the dead letter is left out and the exit\n"
		"status is 1. Needs the right to write with transactional ids that begin with\n"
		"stowage-dlq-replay-.",
	.options =
		(const struct cli_option[]){
			DLQ_RANGE_OPTIONS,
			DLQ_FILTER_OPTIONS,
			{ "limit", "N", "maximum number of dead letters to send" },
			{ "any-topic", NULL, "send also to topics that the worker does not read" },
			{ "again", NULL, "send also what was replayed before" },
			{ "dry-run", NULL,
				"print the messages and their targets without sending them" },
			{ NULL, NULL, NULL },
		},
	.run = dlq_replay_run,
};
