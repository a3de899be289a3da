/*
 * help.h - help texts, printed from the rows of commands
 */
#ifndef WORKER_CLI_HELP_H
#define WORKER_CLI_HELP_H

#include "worker/cli/cli.h"

void cli_print_help(void);
void cli_print_command_help(const struct cli_command *command);
/* Help for the commands of a group ("topics"). */
void cli_print_group_help(const char *group);

#endif
