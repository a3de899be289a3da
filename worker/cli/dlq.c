/*
 * dlq.c - `stowage dlq list` and `stowage dlq show`: print dead letters
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/domains/command_table.h"
#include "schemas/base/iso_time.h"
#include "worker/cli/dlq_filter.h"
#include "worker/cli/dlq_range.h"
#include "worker/client/codec.h"
#include "worker/client/dlq.h"
#include "worker/client/dlq_request.h"
#include "worker/client/json_print.h"

struct looking {
	struct cli *cli;
	struct codec *codec;
	struct dlq_filter filter;
	int64_t limit; /* -1: none */
	uint64_t count;
};

/* Opens the codec and the client, calls `letter` for every dead letter of the range, then closes
 * both. */
static int cli_dlq_walk(struct looking *looking, const struct dlq_range *range,
	bool (*letter)(void *arg, const rd_kafka_message_t *message, bool replayed))
{
	const struct dlq_visitor visitor = { NULL, letter, looking };
	const struct config *config = cli_config(looking->cli);
	struct client_error error;
	char why[CODEC_WHY_MAX];
	struct client *client;
	int status;

	if (!config)
		return EXIT_CONFIG;
	looking->codec = codec_new(why);
	if (!looking->codec) {
		cli_error(looking->cli, NULL, "%s", why);
		return EXIT_FAILED;
	}
	client = cli_client(looking->cli, config, NULL, &status);
	if (client && dlq_walk(config, client, range, &visitor, &error)) {
		status = EXIT_OK;
	} else if (client) {
		cli_error(looking->cli, error.hint, "%s", error.text);
		status = EXIT_KAFKA;
	}
	client_free(client);
	codec_free(looking->codec);
	return status;
}

static void print_time(const rd_kafka_message_t *message)
{
	char text[ISO_TIME_SIZE];

	iso_time_write(text, dlq_timestamp(message));
	fputs(text, stdout);
}

static const char *command_name(const struct looking *looking, const rd_kafka_message_t *message)
{
	int command = dlq_command(looking->codec, message);

	return command >= 0 ? command_defs[command].name : "?";
}

static void print_header_value(const rd_kafka_message_t *message, const char *name)
{
	char *text = dlq_header(message, name);

	if (text)
		dlq_print_text(text, strlen(text));
	else
		putchar('?');
	free(text);
}

static bool print_one(void *arg, const rd_kafka_message_t *message, bool replayed)
{
	struct looking *looking = arg;

	if (!dlq_filter_matches(&looking->filter, looking->codec, message))
		return true;
	if (looking->limit >= 0 && looking->count >= (uint64_t)looking->limit)
		return false;
	looking->count++;
	printf("%s [%d] %" PRId64 "  ", rd_kafka_topic_name(message->rkt), message->partition,
		message->offset);
	print_time(message);
	printf("  %s  ", command_name(looking, message));
	print_header_value(message, DLQ_CONTEXT "exception.class.name");
	fputs("  ", stdout);
	print_header_value(message, DLQ_CONTEXT "exception.message");
	puts(replayed ? "  (replayed)" : "");
	return true;
}

static int run_dlq_list(struct cli *cli)
{
	struct looking looking = { .cli = cli };
	struct dlq_range range;
	int status;

	if (!dlq_range_read(cli, &range) || !dlq_filter_read(cli, &looking.filter))
		return EXIT_USAGE;
	looking.limit = range.limit;
	range.limit = -1;
	status = cli_dlq_walk(&looking, &range, print_one);
	if (status == EXIT_OK && cli->err_is_terminal)
		cli_note(cli, "%" PRIu64 " dead letters", looking.count);
	return status;
}

const struct cli_command cli_dlq_list = {
	.group = "dlq",
	.name = "list",
	.summary = "list dead letters: position, time, command and error",
	.usage = "[--topic TOPIC] [--partition N] [--from OFFSET] [--to OFFSET] [OPTION...]",
	.help = "Prints one line per dead letter: dead-letter topic, partition, offset, time of the original\n"
		"message, command, error code and message. Kafka keeps dead letters, also replayed ones,\n"
		"for the retention time of the topic.",
	.options =
		(const struct cli_option[]){
			DLQ_RANGE_OPTIONS,
			DLQ_FILTER_OPTIONS,
			{ "limit", "N", "maximum number of dead letters" },
			{ NULL, NULL, NULL },
		},
	.run = run_dlq_list,
};

static void print_headers(const rd_kafka_message_t *message)
{
	rd_kafka_headers_t *headers;
	const char *name;
	const void *value;
	size_t size;

	if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == 0; i++) {
		fputs("header     ", stdout);
		dlq_print_text(name, strlen(name));
		fputs(" = ", stdout);
		if (value)
			dlq_print_text(value, size);
		else
			fputs("(null)", stdout);
		putchar('\n');
	}
}

/* Sixteen bytes per line, in hexadecimal and as text. */
static void print_dump(const uint8_t *bytes, size_t size)
{
	for (size_t at = 0; at < size; at += 16) {
		printf("%08zx  ", at);
		for (size_t i = at; i < at + 16; i++)
			i < size ? printf("%02x ", bytes[i]) : printf("   ");
		putchar(' ');
		for (size_t i = at; i < at + 16 && i < size; i++)
			putchar(bytes[i] >= 0x20 && bytes[i] < 0x7f ? bytes[i] : '.');
		putchar('\n');
	}
}

static void print_payload(const struct looking *looking, const rd_kafka_message_t *message)
{
	char why[CODEC_WHY_MAX];
	json_t *json = dlq_request(looking->codec, message, why);
	struct buffer text = { 0 };

	if (json) {
		printf("request    %s\n", command_name(looking, message));
		json_print(&text, json, true);
		printf("%s\n", text_string(&text));
		buffer_free(&text);
		json_decref(json);
		return;
	}
	printf("value      %zu bytes, cannot be decoded: %s\n", message->len, why);
	print_dump(message->payload, message->len);
}

static void print_missing(const rd_kafka_message_t *message, const char *omitted, const char *none)
{
	int64_t size = dlq_header_number(message, omitted);

	if (size >= 0)
		printf("(%" PRId64 " bytes, only in the command's topic)", size);
	else
		fputs(none, stdout);
}

static bool show_one(void *arg, const rd_kafka_message_t *message, bool replayed)
{
	struct looking *looking = arg;

	looking->count++;
	if (cli_given(looking->cli, "raw")) {
		fwrite(message->payload, 1, message->len, stdout);
		return false;
	}
	printf("dead letter %s [%d] offset %" PRId64 "\ntime       ",
		rd_kafka_topic_name(message->rkt), message->partition, message->offset);
	print_time(message);
	fputs("\nkey        ", stdout);
	if (message->key)
		dlq_print_text(message->key, message->key_len);
	else
		print_missing(message, DEAD_LETTER_KEY_OMITTED, "(none)");
	putchar('\n');
	print_headers(message);
	if (replayed)
		puts("replayed   yes");
	if (message->payload) {
		print_payload(looking, message);
		return false;
	}
	fputs("value      ", stdout);
	print_missing(message, DEAD_LETTER_OMITTED, "(null)");
	putchar('\n');
	return false;
}

static int run_dlq_show(struct cli *cli)
{
	struct looking looking = { .cli = cli };
	struct dlq_range range;
	long long offset;
	int status;

	if (!dlq_range_read(cli, &range) ||
		!cli_number(cli, "offset", 0, INT64_MAX - 1, -1, &offset))
		return EXIT_USAGE;
	if (!range.topic || range.partition < 0 || offset < 0)
		return cli_usage_error(cli, "--topic, --partition and --offset are required");
	range.from = range.to = offset;
	status = cli_dlq_walk(&looking, &range, show_one);
	if (status != EXIT_OK || looking.count)
		return status;
	cli_error(cli, "`stowage dlq list` lists dead letters",
		"there is no dead letter at this offset");
	return EXIT_FAILED;
}

const struct cli_command cli_dlq_show = {
	.group = "dlq",
	.name = "show",
	.summary = "print one dead letter in full",
	.usage = "--topic TOPIC --partition N --offset N [--raw]",
	.help = "Prints key, headers and the command as JSON. If the command cannot be decoded, prints its\n"
		"bytes.",
	.options =
		(const struct cli_option[]){
			{ "topic", "TOPIC", "the command topic or its dead-letter topic" },
			{ "partition", "N", "partition of the dead-letter topic" },
			{ "offset", "N", "offset in the dead-letter topic" },
			{ "raw", NULL, "print only the value, as raw bytes" },
			{ NULL, NULL, NULL },
		},
	.run = run_dlq_show,
};
