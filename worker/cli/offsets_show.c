/*
 * offsets_show.c - `stowage offsets show`: prints the group's offsets and lag
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "worker/cli/cli.h"
#include "worker/client/client.h"
#include "worker/client/database.h"
#include "worker/client/offsets.h"
#include "worker/kafka/topic_match.h"

#define METADATA_TIMEOUT_MS 10000

struct showing {
	struct cli *cli;
	const struct config *config;
	const char *topic; /* NULL: all */
	struct client *client;
	struct offset_rows rows;
};

/* Does the worker read the topic, and did the user ask for it? */
static bool is_read(const struct showing *showing, const char *topic)
{
	if (showing->topic && strcmp(showing->topic, topic) != 0)
		return false;
	return topic_match_command(showing->config, topic);
}

/* Adds partitions that no worker has claimed yet. */
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
		return "never claimed";
	if (row->topic_id[0] &&
		topics_id(client_topics(showing->client), row->topic, id) == TOPIC_THERE && id[0] &&
		strcmp(id, row->topic_id) != 0)
		return "the topic was created again: stowage offsets set";
	if (row->applied < low)
		return "before the log's start: stowage offsets set";
	if (row->applied > high)
		return "after the log's end: stowage offsets set";
	return row->crash_count > 0 ? "recent crashes" : "";
}

enum column {
	COLUMN_TOPIC,
	COLUMN_PARTITION,
	COLUMN_APPLIED,
	COLUMN_ANSWERED,
	COLUMN_END,
	COLUMN_LAG,
	COLUMN_REPLIES,
	COLUMN_EPOCH,
	COLUMN_UPDATED,
	COLUMN_NOTE,
	COLUMN_COUNT,
};

/* A negative width aligns to the left. The longest topic sets the width of the first column. */
static const struct {
	const char *name;
	int width;
} columns[COLUMN_COUNT] = {
	[COLUMN_TOPIC] = { "TOPIC", 0 },
	[COLUMN_PARTITION] = { "PARTITION", 9 },
	[COLUMN_APPLIED] = { "APPLIED", 12 },
	[COLUMN_ANSWERED] = { "ANSWERED", 12 },
	[COLUMN_END] = { "END", 12 },
	[COLUMN_LAG] = { "LAG", 10 },
	[COLUMN_REPLIES] = { "REPLIES", 7 },
	[COLUMN_EPOCH] = { "EPOCH", 7 },
	[COLUMN_UPDATED] = { "UPDATED", -20 },
	[COLUMN_NOTE] = { "NOTE", 0 },
};

struct cell {
	const char *text; /* NULL: the number below */
	char number[24];
};

static void print_cells(const struct cell cells[COLUMN_COUNT], int topic_width)
{
	for (int i = 0; i < COLUMN_COUNT; i++)
		printf("%*s%c", i == COLUMN_TOPIC ? -topic_width : columns[i].width,
			cells[i].text ? cells[i].text : cells[i].number,
			i == COLUMN_NOTE ? '\n' : ' ');
}

static void set_number(struct cell *cell, int64_t number)
{
	cell->text = NULL;
	snprintf(cell->number, sizeof(cell->number), "%" PRId64, number);
}

/* Sets the columns whose values come from the broker. */
static void set_log_columns(struct showing *showing, const struct offset_row *row,
	struct cell cells[COLUMN_COUNT])
{
	char error[CLIENT_ERROR_MAX];
	int64_t low, high;

	if (!client_watermarks(client_handle(showing->client), row->topic, row->partition, &low,
		    &high, error)) {
		cells[COLUMN_END].text = cells[COLUMN_LAG].text = "?";
		cells[COLUMN_NOTE].text = "does not exist";
		return;
	}
	set_number(&cells[COLUMN_END], high);
	set_number(&cells[COLUMN_LAG], high - (row->exists ? row->applied : low));
	cells[COLUMN_NOTE].text = offsets_show_remark(showing, row, low, high);
}

static void offsets_show_print_row(struct showing *showing, const struct offset_row *row, int width)
{
	struct cell cells[COLUMN_COUNT] = { 0 };

	for (size_t i = 0; i < COLUMN_COUNT; i++)
		cells[i].text = "-";
	cells[COLUMN_TOPIC].text = row->topic;
	set_number(&cells[COLUMN_PARTITION], row->partition);
	set_number(&cells[COLUMN_EPOCH], row->epoch);
	if (row->exists) {
		set_number(&cells[COLUMN_APPLIED], row->applied);
		set_number(&cells[COLUMN_ANSWERED], row->answered);
		set_number(&cells[COLUMN_REPLIES], row->replies);
	}
	if (row->updated)
		cells[COLUMN_UPDATED].text = row->updated;
	set_log_columns(showing, row, cells);
	print_cells(cells, width);
}

static void print_rows(struct showing *showing)
{
	struct cell head[COLUMN_COUNT] = { 0 };
	int width = (int)strlen(columns[COLUMN_TOPIC].name);

	for (size_t i = 0; i < showing->rows.count; i++)
		if ((int)strlen(showing->rows.rows[i].topic) > width)
			width = (int)strlen(showing->rows.rows[i].topic);
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		head[i].text = columns[i].name;
	print_cells(head, width);
	for (size_t i = 0; i < showing->rows.count; i++)
		offsets_show_print_row(showing, &showing->rows.rows[i], width);
}

static int offsets_show_print(struct showing *showing)
{
	int status;

	showing->client = cli_client(showing->cli, showing->config, NULL, &status);
	if (!showing->client)
		return status;
	status = EXIT_KAFKA;
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
		cli_error(cli, "`stowage init` creates the tables", "%s", error);
	offsets_free(&showing.rows);
	PQfinish(conn);
	return status;
}

const struct cli_command cli_offsets_show = {
	.group = "offsets",
	.name = "show",
	.summary = "print the group's offset and lag in each partition",
	.usage = "[--topic TOPIC]",
	.help = "APPLIED is the first offset that is not applied to the database yet. ANSWERED is the lowest\n"
		"offset whose reply Kafka has not acknowledged. END is the offset after the last message.\n"
		"LAG is END minus APPLIED. REPLIES counts batches with stored replies that are not sent yet.",
	.options =
		(const struct cli_option[]){
			{ "topic", "TOPIC", "only this topic" },
			{ NULL, NULL, NULL },
		},
	.run = offsets_show_run,
};
