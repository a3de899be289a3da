/*
 * dlq_filter.c - selects dead letters by error code, command and time
 */
#include "worker/cli/dlq_filter.h"

#include <stdlib.h>
#include <string.h>

#include "handlers/domains/command_table.h"
#include "schemas/base/iso_time.h"
#include "worker/client/dlq.h"
#include "worker/client/dlq_request.h"

static bool dlq_filter_read_time(const struct cli *cli, const char *option, int64_t *ms)
{
	const char *text = cli_text(cli, option);

	*ms = -1;
	if (!text || iso_time_read(text, strlen(text), ms))
		return true;
	cli_usage_error(cli, "--%s must be a time such as 2026-03-01T09:00:00Z, not \"%s\"", option,
		text);
	return false;
}

bool dlq_filter_read(struct cli *cli, struct dlq_filter *filter)
{
	*filter = (struct dlq_filter){ .code = cli_text(cli, "code"),
		.command = cli_text(cli, "command") };
	if (filter->command && command_find(filter->command, strlen(filter->command)) < 0) {
		cli_usage_error(cli, "there is no command \"%s\"", filter->command);
		return false;
	}
	return dlq_filter_read_time(cli, "since", &filter->since) &&
		dlq_filter_read_time(cli, "until", &filter->until);
}

static bool has_code(const rd_kafka_message_t *message, const char *code)
{
	char *text = dlq_header(message, DLQ_CONTEXT "exception.class.name");
	bool same = text && strcmp(text, code) == 0;

	free(text);
	return same;
}

/* A message with a schema that this release does not know is no known command. */
static bool is_command(const struct codec *codec, const rd_kafka_message_t *message,
	const char *name)
{
	int command = dlq_command(codec, message);

	return command >= 0 && strcmp(command_defs[command].name, name) == 0;
}

bool dlq_filter_matches(const struct dlq_filter *filter, const struct codec *codec,
	const rd_kafka_message_t *message)
{
	int64_t failed_at = rd_kafka_message_timestamp(message, NULL);

	return (filter->since < 0 || failed_at >= filter->since) &&
		(filter->until < 0 || failed_at < filter->until) &&
		(!filter->code || has_code(message, filter->code)) &&
		(!filter->command || is_command(codec, message, filter->command));
}
