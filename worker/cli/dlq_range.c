/*
 * dlq_range.c - reads the options that select dead letters
 */
#include "worker/cli/dlq_range.h"

#include <string.h>

static bool has_option(const struct cli *cli, const char *name)
{
	for (const struct cli_option *option = cli->command->options; option->name; option++)
		if (strcmp(option->name, name) == 0)
			return true;
	return false;
}

static bool dlq_range_read_number(const struct cli *cli, const char *option, int64_t max,
	int64_t *value)
{
	long long given = -1;

	if (has_option(cli, option) && !cli_number(cli, option, 0, max, -1, &given))
		return false;
	*value = given;
	return true;
}

bool dlq_range_read(struct cli *cli, struct dlq_range *range)
{
	int64_t partition;

	range->topic = cli_text(cli, "topic");
	if (!dlq_range_read_number(cli, "partition", INT32_MAX, &partition) ||
		!dlq_range_read_number(cli, "from", INT64_MAX - 1, &range->from) ||
		!dlq_range_read_number(cli, "to", INT64_MAX - 1, &range->to) ||
		!dlq_range_read_number(cli, "limit", INT64_MAX - 1, &range->limit))
		return false;
	range->partition = (int32_t)partition;
	return true;
}
