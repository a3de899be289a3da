/*
 * offsets_show.c - `stowage offsets show`
 */
#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "worker/cli/cli.h"
#include "worker/client/client.h"
#include "worker/client/database.h"
#include "worker/client/offsets.h"

#define METADATA_TIMEOUT_MS 10000

struct showing {
	struct cli *cli;
	const struct config *config;
	const char *topic; /* NULL: all */
	struct client *client;
	struct offset_rows rows;
};

static bool offsets_show_matches(const char *pattern, const char *topic)
{
	regex_t regex;
	bool found;

	if (pattern[0] != '^')
		return strcmp(pattern, topic) == 0;
	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	found = regexec(&regex, topic, 0, NULL, 0) == 0;
	regfree(&regex);
	return found;
}

/* Does the configuration make the worker read it? */
static bool is_read(const struct showing *showing, const char *topic)
{
	const struct config_list *topics = &showing->config->kafka.topics;
	size_t len = strlen(topic);
	bool found = false;

	if (showing->topic && strcmp(showing->topic, topic) != 0)
		return false;
	if (len > 4 && strcmp(topic + len - 4, ".dlq") == 0)
		return false;
	for (size_t i = 0; i < topics->count && !found; i++)
		found = offsets_show_matches(topics->items[i], topic);
	return found;
}

/* Partitions that no worker ever took. */
static bool add_partitions(struct showing *showing)
{
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t code = rd_kafka_metadata(client_handle(showing->client), 1, NULL,
		&metadata, METADATA_TIMEOUT_MS);

	if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
		cli_error(showing->cli, NULL, "cannot list topics: %s", rd_kafka_err2str(code));
		return false;
	}
	for (int i = 0; i < metadata->topic_cnt; i++)
		if (is_read(showing, metadata->topics[i].topic))
			for (int p = 0; p < metadata->topics[i].partition_cnt; p++)
				offsets_row(&showing->rows, metadata->topics[i].topic, p);
	rd_kafka_metadata_destroy(metadata);
	return true;
}

static const char *offsets_show_remark(struct showing *showing, const struct offset_row *row,
	int64_t low, int64_t high)
{
	char id[TOPIC_ID_SIZE];

	if (!row->exists)
		return "never taken";
	if (row->topic_id[0] &&
		topics_id(client_topics(showing->client), row->topic, id) == TOPIC_THERE && id[0] &&
		strcmp(id, row->topic_id) != 0)
		return "the topic was made anew: stowage offsets set";
	if (row->applied < low)
		return "below the log's start: stowage offsets set";
	if (row->applied > high)
		return "beyond the log's end: stowage offsets set";
	return row->crash_count > 0 ? "in trouble" : "";
}

static void offsets_show_print_row(struct showing *showing, const struct offset_row *row, int width)
{
	int64_t low, high;
	char error[CLIENT_ERROR_MAX], numbers[5][24];

	for (size_t i = 0; i < 5; i++)
		snprintf(numbers[i], sizeof(numbers[i]), "-");
	if (row->exists) {
		snprintf(numbers[0], sizeof(numbers[0]), "%" PRId64, row->applied);
		snprintf(numbers[1], sizeof(numbers[1]), "%" PRId64, row->answered);
		snprintf(numbers[4], sizeof(numbers[4]), "%" PRId64, row->replies);
	}
	if (!client_watermarks(client_handle(showing->client), row->topic, row->partition, &low,
		    &high, error)) {
		printf("%-*s %9d %12s %12s %12s %10s %7s %7" PRId64 " %-20s %s\n", width,
			row->topic, row->partition, numbers[0], numbers[1], "?", "?", numbers[4],
			row->epoch, row->updated ? row->updated : "-", "not there");
		return;
	}
	snprintf(numbers[2], sizeof(numbers[2]), "%" PRId64, high);
	snprintf(numbers[3], sizeof(numbers[3]), "%" PRId64,
		high - (row->exists ? row->applied : low));
	printf("%-*s %9d %12s %12s %12s %10s %7s %7" PRId64 " %-20s %s\n", width, row->topic,
		row->partition, numbers[0], numbers[1], numbers[2], numbers[3], numbers[4],
		row->epoch, row->updated ? row->updated : "-",
		offsets_show_remark(showing, row, low, high));
}

static void print_rows(struct showing *showing)
{
	int width = 5;

	for (size_t i = 0; i < showing->rows.count; i++)
		if ((int)strlen(showing->rows.rows[i].topic) > width)
			width = (int)strlen(showing->rows.rows[i].topic);
	printf("%-*s %9s %12s %12s %12s %10s %7s %7s %-20s %s\n", width, "TOPIC", "PARTITION",
		"APPLIED", "ANSWERED", "END", "LAG", "REPLIES", "EPOCH", "UPDATED", "NOTE");
	for (size_t i = 0; i < showing->rows.count; i++)
		offsets_show_print_row(showing, &showing->rows.rows[i], width);
}

static int offsets_show_print(struct showing *showing)
{
	const struct client_options options = { 0 };
	struct client_error error;
	int status = EXIT_KAFKA;

	showing->client = client_new(showing->config, &options, &status, &error);
	if (!showing->client) {
		cli_error(showing->cli, error.hint, "%s", error.text);
		return status;
	}
	if (add_partitions(showing)) {
		print_rows(showing);
		status = EXIT_OK;
	}
	client_free(showing->client);
	return status;
}

static int offsets_show_run(struct cli *cli)
{
	struct showing showing = {
		.cli = cli, .config = cli_config(cli), .topic = cli_text(cli, "topic")
	};
	char error[DATABASE_ERROR_MAX];
	PGconn *conn;
	int status = EXIT_DATABASE;

	if (!showing.config)
		return EXIT_CONFIG;
	conn = cli_database(cli, showing.config);
	if (!conn)
		return EXIT_DATABASE;
	if (offsets_read(conn, showing.config, showing.topic, &showing.rows, error, sizeof(error)))
		status = offsets_show_print(&showing);
	else
		cli_error(cli, "`stowage init` makes the tables", "%s", error);
	offsets_free(&showing.rows);
	PQfinish(conn);
	return status;
}

const struct cli_command cli_offsets_show = {
	.group = "offsets",
	.name = "show",
	.summary = "print where the group stands in each partition, and its lag",
	.usage = "[--topic TOPIC]",
	.help = "APPLIED is the next offset whose effect is not in the database yet, ANSWERED the lowest\n"
		"whose reply Kafka has not acknowledged, END the offset behind the last message, LAG what\n"
		"lies between APPLIED and END, REPLIES the batches whose replies are still to be sent.",
	.options =
		(const struct cli_option[]){
			{ "topic", "TOPIC", "only this topic" },
			{ NULL, NULL, NULL },
		},
	.run = offsets_show_run,
};
