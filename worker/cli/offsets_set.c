/*
 * offsets_set.c - `stowage offsets set`: moves the group to another offset
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "worker/cli/cli.h"
#include "worker/client/client.h"
#include "worker/client/database.h"
#include "worker/client/group.h"
#include "worker/client/offsets.h"

struct setting {
	struct cli *cli;
	const struct config *config;
	const char *topic;
	long long partition; /* -1: all */
	const char *to;
	struct client *client;
	PGconn *conn;
	char topic_id[TOPIC_ID_SIZE];
	struct offset_target *targets;
	size_t target_count;
	int status;
};

static bool offsets_set_fail(struct setting *setting, int status, const char *hint, const char *why)
{
	cli_error(setting->cli, hint, "%s", why);
	setting->status = status;
	return false;
}

static bool check_members(struct setting *setting)
{
	const char *group = setting->config->kafka.group_id;
	struct client_error error;
	size_t members;
	char *why;

	if (cli_given(setting->cli, "force"))
		return true;
	if (!group_count_members(setting->client, group, &members, &error)) {
		why = alloc_printf("cannot describe group %s: %s", group, error.text);
		offsets_set_fail(setting, EXIT_KAFKA, NULL, why);
		free(why);
		return false;
	}
	if (members == 0)
		return true;
	why = alloc_printf("group %s has %zu live member%s", group, members,
		members == 1 ? "" : "s");
	offsets_set_fail(setting, EXIT_FAILED,
		"stop the workers first, or add --force, which makes them drop the partition and "
		"claim it again",
		why);
	free(why);
	return false;
}

/* Translates --to into an offset of the partition. */
static bool find_offset(struct setting *setting, int32_t partition, int64_t *offset)
{
	char error[CLIENT_ERROR_MAX], *end;
	int64_t low, high;

	if (!client_watermarks(client_handle(setting->client), setting->topic, partition, &low,
		    &high, error))
		return offsets_set_fail(setting, EXIT_KAFKA, NULL, error);
	if (strcmp(setting->to, "earliest") == 0) {
		*offset = low;
		return true;
	}
	if (strcmp(setting->to, "latest") == 0) {
		*offset = high;
		return true;
	}
	*offset = strtoll(setting->to, &end, 10);
	if (*offset >= low && *offset <= high)
		return true;
	snprintf(error, sizeof(error),
		"%s [%d] has offsets from %" PRId64 " to %" PRId64 ", but not %s", setting->topic,
		partition, low, high, setting->to);
	return offsets_set_fail(setting, EXIT_FAILED, NULL, error);
}

static bool find_targets(struct setting *setting)
{
	int32_t partitions = 0, first, last;
	bool ok = true;

	if (topics_lookup(client_topics(setting->client), setting->topic, strlen(setting->topic),
		    &partitions) != TOPIC_THERE ||
		topics_id(client_topics(setting->client), setting->topic, setting->topic_id) !=
			TOPIC_THERE)
		return offsets_set_fail(setting, EXIT_KAFKA, "`stowage offsets show` lists topics",
			"the topic does not exist");
	if (setting->partition >= partitions)
		return offsets_set_fail(setting, EXIT_KAFKA, NULL, "the partition does not exist");
	first = setting->partition < 0 ? 0 : (int32_t)setting->partition;
	last = setting->partition < 0 ? partitions - 1 : first;
	setting->targets = alloc_zero((size_t)(last - first + 1), sizeof(*setting->targets));
	for (int32_t p = first; ok && p <= last; p++) {
		struct offset_target *target = &setting->targets[setting->target_count++];

		*target = (struct offset_target){ setting->topic, p, setting->topic_id, 0,
			cli_given(setting->cli, "drop-replies") };
		ok = find_offset(setting, p, &target->offset);
	}
	return ok;
}

static bool print_changes(struct setting *setting)
{
	char error[DATABASE_ERROR_MAX];
	struct offset_rows rows;

	if (!offsets_read(setting->conn, setting->config, setting->topic, &rows, error,
		    sizeof(error)))
		return offsets_set_fail(setting, EXIT_DATABASE, "`stowage init` creates the tables",
			error);
	for (size_t i = 0; i < setting->target_count; i++) {
		const struct offset_target *target = &setting->targets[i];
		const struct offset_row *row = offsets_row(&rows, target->topic, target->partition);

		printf("%s [%d]: ", target->topic, target->partition);
		if (row->exists)
			printf("%" PRId64 " -> %" PRId64, row->applied, target->offset);
		else
			printf("never claimed -> %" PRId64, target->offset);
		if (row->replies)
			printf(", %" PRId64 " batches of replies %s", row->replies,
				target->drop_replies ? "dropped" : "not sent yet");
		putchar('\n');
	}
	offsets_free(&rows);
	return true;
}

static bool write_targets(struct setting *setting)
{
	char error[DATABASE_ERROR_MAX];

	if (cli_given(setting->cli, "dry-run"))
		return true;
	if (offsets_write(setting->conn, setting->config, setting->targets, setting->target_count,
		    error, sizeof(error)))
		return true;
	return offsets_set_fail(setting, EXIT_DATABASE, NULL, error);
}

static int offsets_set_write(struct setting *setting)
{
	int status;

	setting->client = cli_client(setting->cli, setting->config, NULL, &status);
	if (!setting->client)
		return status;
	if (check_members(setting) && find_targets(setting) && print_changes(setting))
		(void)write_targets(setting);
	free(setting->targets);
	client_free(setting->client);
	return setting->status;
}

static bool is_target(const char *to)
{
	return strcmp(to, "earliest") == 0 || strcmp(to, "latest") == 0 ||
		(*to && strspn(to, "0123456789") == strlen(to) && strlen(to) < 19);
}

static int offsets_set_run(struct cli *cli)
{
	struct setting setting = {
		.cli = cli, .topic = cli_text(cli, "topic"), .to = cli_text(cli, "to")
	};
	int status;

	if (!setting.topic || !setting.to)
		return cli_usage_error(cli, "--topic and --to are required");
	if (!is_target(setting.to))
		return cli_usage_error(cli,
			"--to must be earliest, latest or an offset, not \"%s\"", setting.to);
	if (!cli_number(cli, "partition", 0, INT32_MAX, -1, &setting.partition))
		return EXIT_USAGE;
	setting.config = cli_config(cli);
	if (!setting.config)
		return EXIT_CONFIG;
	setting.conn = cli_database(cli, setting.config);
	if (!setting.conn)
		return EXIT_DATABASE;
	status = offsets_set_write(&setting);
	PQfinish(setting.conn);
	return status;
}

const struct cli_command cli_offsets_set = {
	.group = "offsets",
	.name = "set",
	.summary = "move the group to another offset of a topic",
	.usage = "--topic TOPIC [--partition N] --to earliest|latest|OFFSET [OPTION...]",
	.help = "The worker stores offsets in PostgreSQL, so Kafka's own tools can't move them. Moving back\n"
		"applies commands again, moving forward skips commands: both give up the exactly-once\n"
		"guarantee. Fails while the group has live members.",
	.options =
		(const struct cli_option[]){
			{ "topic", "TOPIC", "the command topic" },
			{ "partition", "N", "only this partition; default: all partitions" },
			{ "to", "PLACE",
				"earliest, latest, or the offset of the next command to apply" },
			{ "drop-replies", NULL, "delete stored replies that are not sent yet" },
			{ "dry-run", NULL, "print the changes without making them" },
			{ "force", NULL, "move the group even while workers run" },
			{ NULL, NULL, NULL },
		},
	.run = offsets_set_run,
};
