/*
 * commands.c - the list of all commands
 */
#include "worker/cli/commands.h"

#include <stddef.h>

const struct cli_command *const cli_commands[] = {
	&cli_run,
	&cli_init,
	&cli_check,
	&cli_show_config,
	&cli_send,
	&cli_topics_create,
	&cli_offsets_show,
	&cli_offsets_set,
	&cli_dlq_list,
	&cli_dlq_show,
	&cli_dlq_replay,
	&cli_explain,
	&cli_schemas,
	&cli_export_schema,
	&cli_version,
	NULL,
};
