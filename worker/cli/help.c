/*
 * help.c - help texts, printed from the rows of commands
 */
#include "worker/cli/help.h"

#include <stdio.h>
#include <string.h>

#include "worker/cli/commands.h"

static const struct {
	enum exit_status status;
	const char *meaning;
} statuses[] = {
	{ EXIT_OK, "done" },
	{ EXIT_FAILED, "failed; see standard error" },
	{ EXIT_USAGE, "wrong command or option" },
	{ EXIT_CONFIG, "a mistake in the configuration" },
	{ EXIT_DATABASE, "PostgreSQL: no connection, or an error" },
	{ EXIT_KAFKA, "Kafka: no connection, or an error" },
	{ EXIT_REFUSED, "the worker answered a command with an error" },
	{ EXIT_NO_ANSWER, "no reply before the timeout" },
	{ EXIT_FENCED, "another process has this worker's group.instance.id" },
};

static void print_name(const struct cli_command *command, int width)
{
	char title[CLI_TITLE_SIZE];

	cli_title(command, title);
	printf("  %-*s  %s\n", width, title, command->summary);
}

void cli_print_help(void)
{
	printf("Usage: stowage [--config FILE] COMMAND [OPTION...] [ARGUMENT...]\n\n"
	       "Stowage reads storage commands from Kafka, applies them to PostgreSQL and sends replies.\n\n"
	       "Commands:\n");
	for (size_t i = 0; cli_commands[i]; i++)
		print_name(cli_commands[i], 16);
	printf("\nOptions of every command:\n"
	       "  --config FILE     configuration file; default: STOWAGE_CONFIG, then\n"
	       "                    /etc/stowage/stowage.conf if it exists. Environment variables\n"
	       "                    override the file (see stowage config --reference)\n"
	       "  --help            print this help, or the help of a command\n"
	       "  --version         print the versions of stowage and its libraries\n\n"
	       "Exit status:\n");
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		printf("  %d  %s\n", (int)statuses[i].status, statuses[i].meaning);
}

void cli_print_group_help(const char *group)
{
	printf("Usage: stowage %s COMMAND [OPTION...] [ARGUMENT...]\n\nCommands:\n", group);
	for (size_t i = 0; cli_commands[i]; i++)
		if (cli_commands[i]->group && strcmp(cli_commands[i]->group, group) == 0)
			print_name(cli_commands[i], 16);
	printf("\nSee stowage %s COMMAND --help.\n", group);
}

static void print_option(const struct cli_option *option)
{
	char left[64];

	snprintf(left, sizeof(left), "--%s%s%s", option->name, option->argument ? " " : "",
		option->argument ? option->argument : "");
	printf("  %-24s%s", left, strlen(left) > 23 ? "\n                          " : "");
	/* Indents further lines of the help below the first. */
	for (const char *line = option->help; *line; line += strspn(line, "\n")) {
		size_t len = strcspn(line, "\n");

		printf("%s%.*s\n", line == option->help ? "" : "                          ",
			(int)len, line);
		line += len;
	}
}

void cli_print_command_help(const struct cli_command *command)
{
	char title[CLI_TITLE_SIZE];

	cli_title(command, title);
	printf("Usage: stowage %s%s%s\n\n%s\n", title, command->usage[0] ? " " : "", command->usage,
		command->summary);
	if (command->help)
		printf("\n%s\n", command->help);
	printf("\nOptions:\n");
	for (const struct cli_option *option = command->options; option && option->name; option++)
		print_option(option);
	print_option(&(struct cli_option){ "config", "FILE", "configuration file" });
	print_option(&(struct cli_option){ "help", NULL, "print this help" });
}
