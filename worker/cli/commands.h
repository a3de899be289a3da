/*
 * commands.h - the list of all commands
 */
#ifndef WORKER_CLI_COMMANDS_H
#define WORKER_CLI_COMMANDS_H

#include "worker/cli/cli.h"

/* In the order of the help; ends in NULL. */
extern const struct cli_command *const cli_commands[];

#endif
