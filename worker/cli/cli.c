/*
 * cli.c - what commands share: option values, the configuration, messages
 */
#include "worker/cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/domains/command_table.h"
#include "worker/client/database.h"
#include "worker/config/load.h"

void cli_title(const struct cli_command *command, char title[CLI_TITLE_SIZE])
{
	snprintf(title, CLI_TITLE_SIZE, "%s%s%s", command->group ? command->group : "",
		command->group ? " " : "", command->name);
}

const struct cli_values *cli_all(const struct cli *cli, const char *option)
{
	for (size_t i = 0; cli->command->options[i].name; i++)
		if (strcmp(cli->command->options[i].name, option) == 0)
			return &cli->values[i];
	abort(); /* the command's row does not declare the option */
}

bool cli_given(const struct cli *cli, const char *option)
{
	return cli_all(cli, option)->count > 0;
}

const char *cli_text(const struct cli *cli, const char *option)
{
	const struct cli_values *values = cli_all(cli, option);

	return values->count ? values->texts[values->count - 1] : NULL;
}

bool cli_number(const struct cli *cli, const char *option, long long min, long long max,
	long long fallback, long long *value)
{
	const char *text = cli_text(cli, option);
	char *end;

	*value = fallback;
	if (!text)
		return true;
	errno = 0;
	*value = strtoll(text, &end, 10);
	if (end != text && !*end && errno == 0 && *value >= min && *value <= max)
		return true;
	cli_usage_error(cli, "--%s must be a whole number from %lld to %lld, not \"%s\"", option,
		min, max, text);
	return false;
}

const struct config *cli_config(struct cli *cli)
{
	if (!cli->config)
		cli->config = config_load(cli->config_path, stderr);
	return cli->config;
}

bool cli_reload_config(struct cli *cli)
{
	struct config *config = config_load(cli->config_path, stderr);

	if (!config)
		return false;
	config_free(cli->config);
	cli->config = config;
	return true;
}

static void cli_print_head(const struct cli *cli)
{
	fputs(cli->colour ? "\033[31mstowage:\033[0m " : "stowage: ", stderr);
}

void cli_error(const struct cli *cli, const char *hint, const char *format, ...)
{
	va_list args;

	cli_print_head(cli);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	if (hint)
		fprintf(stderr, "  %s\n", hint);
}

int cli_find_command(const struct cli *cli, const char *place, const char *name, const char *hint)
{
	int command = command_find(name, strlen(name));
	const char *nearest = command >= 0 ? NULL : command_nearest(name);

	if (command < 0)
		cli_error(cli, hint, "%sunknown command %.100s%s%s%s", place, name,
			nearest ? "; did you mean " : "", nearest ? nearest : "",
			nearest ? "?" : "");
	return command;
}

int cli_usage_error(const struct cli *cli, const char *format, ...)
{
	const struct cli_command *command = cli->command;
	va_list args;

	cli_print_head(cli);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	if (command) {
		char title[CLI_TITLE_SIZE];

		cli_title(command, title);
		fprintf(stderr, "\nUsage: stowage %s %s\n(see stowage %s --help)\n", title,
			command->usage, title);
	} else {
		fputs("\n(see stowage --help)\n", stderr);
	}
	return EXIT_USAGE;
}

void cli_note(struct cli *cli, const char *format, ...)
{
	va_list args;

	cli_progress_end(cli);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void cli_progress(struct cli *cli, const char *format, ...)
{
	va_list args;

	if (!cli->err_is_terminal)
		return;
	fputs("\r\033[K", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fflush(stderr);
	cli->progress_shown = true;
}

void cli_progress_end(struct cli *cli)
{
	if (cli->progress_shown)
		fputs("\r\033[K", stderr);
	cli->progress_shown = false;
}

PGconn *cli_database(struct cli *cli, const struct config *config)
{
	struct database_failure failure;
	PGconn *conn = database_connect(config, &failure);

	if (!conn)
		cli_error(cli, failure.hint, "cannot connect to PostgreSQL: %s", failure.why);
	return conn;
}

struct client *cli_client(struct cli *cli, const struct config *config,
	const struct client_options *options, int *status)
{
	static const struct client_options defaults = { 0 };
	struct client_error error;
	struct client *client = client_new(config, options ? options : &defaults, status, &error);

	if (!client)
		cli_error(cli, error.hint, "%s", error.text);
	return client;
}
