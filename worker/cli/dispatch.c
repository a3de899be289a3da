/*
 * dispatch.c - from argv to the command that runs
 */
#include "worker/cli/dispatch.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "schemas/base/alloc.h"
#include "schemas/base/nearest.h"
#include "worker/cli/cli.h"
#include "worker/cli/commands.h"
#include "worker/cli/help.h"
#include "worker/config/load.h"

/* Codes that getopt_long returns for the options of every command. */
enum { OPTION_CONFIG = 1000, OPTION_HELP, OPTION_VERSION };

static const struct option global_options[] = {
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

#define GLOBAL_COUNT (sizeof(global_options) / sizeof(global_options[0]) - 1)

static void wrong_option(const struct cli *cli, const char *given, const struct option *options,
	int code)
{
	char *name = alloc_bytes(given, strcspn(given, "="));
	struct nearest nearest = { .wanted = name + strspn(name, "-") };

	for (size_t i = 0; options[i].name; i++)
		nearest_offer(&nearest, options[i].name);
	if (code == ':')
		cli_usage_error(cli, "%s needs an argument", name);
	else if (nearest.found && strcmp(nearest.found, nearest.wanted) == 0)
		cli_usage_error(cli, "%s takes no argument", name);
	else if (nearest.found)
		cli_usage_error(cli, "unknown option %s; did you mean --%s?", name, nearest.found);
	else
		cli_usage_error(cli, "unknown option %s", name);
	free(name);
}

static void add_value(struct cli *cli, int index, const char *text)
{
	struct cli_values *values = &cli->values[index];

	values->texts = alloc_grow(values->texts, values->count + 1, sizeof(*values->texts));
	values->texts[values->count++] = text ? text : "";
}

/* Fills in the command's options, then the options of every command. Returns the number of the
 * former. */
static int collect_options(const struct cli_command *command,
	struct option options[CLI_OPTIONS_MAX + GLOBAL_COUNT + 1])
{
	int count = 0;

	for (const struct cli_option *row = command ? command->options : NULL; row && row->name;
		row++) {
		options[count] = (struct option){ row->name,
			row->argument ? required_argument : no_argument, NULL, count };
		count++;
	}
	memcpy(&options[count], global_options, sizeof(global_options));
	return count;
}

static int help_or_version(const struct cli *cli, int code)
{
	if (code == OPTION_VERSION)
		return cli_version.run((struct cli *)cli);
	if (cli->command)
		cli_print_command_help(cli->command);
	else
		cli_print_help();
	return EXIT_OK;
}

/* Reads options from argv[1] on and sets optind to the first operand. Stops there if the command is
 * not known yet. Returns -1 to continue, else the exit status. */
static int dispatch_read_options(struct cli *cli, int argc, char **argv)
{
	struct option options[CLI_OPTIONS_MAX + GLOBAL_COUNT + 1];
	int count = collect_options(cli->command, options);
	int code;

	optind = 0; /* makes glibc's getopt start again */
	opterr = 0;
	while ((code = getopt_long(argc, argv, cli->command ? ":" : "+:", options, NULL)) != -1) {
		if (code == '?' || code == ':') {
			wrong_option(cli, argv[optind - 1], options, code);
			return EXIT_USAGE;
		}
		if (code == OPTION_CONFIG)
			cli->config_path = optarg;
		else if (code < count)
			add_value(cli, code, optarg);
		else
			return help_or_version(cli, code);
	}
	return -1;
}

/* Finds the command of argv[0], or of argv[0] and argv[1] for a group. *words is the number of
 * words in its name. */
static const struct cli_command *dispatch_find_command(int argc, char **argv, int *words)
{
	for (size_t i = 0; cli_commands[i]; i++) {
		const struct cli_command *row = cli_commands[i];

		*words = row->group ? 2 : 1;
		if (*words <= argc && strcmp(row->group ? row->group : row->name, argv[0]) == 0 &&
			(!row->group || strcmp(row->name, argv[1]) == 0))
			return row;
	}
	return NULL;
}

static bool dispatch_is_group(const char *word)
{
	for (size_t i = 0; cli_commands[i]; i++)
		if (cli_commands[i]->group && strcmp(cli_commands[i]->group, word) == 0)
			return true;
	return false;
}

static int unknown_command(const struct cli *cli, int argc, char **argv)
{
	struct nearest nearest = { .wanted = argv[0] };
	bool group = dispatch_is_group(argv[0]);

	if (group && (argc < 2 || strcmp(argv[1], "--help") == 0)) {
		cli_print_group_help(argv[0]);
		return argc < 2 ? EXIT_USAGE : EXIT_OK;
	}
	if (group)
		nearest.wanted = argv[1];
	for (size_t i = 0; cli_commands[i]; i++) {
		const struct cli_command *row = cli_commands[i];

		if (!group)
			nearest_offer(&nearest, row->group ? row->group : row->name);
		else if (row->group && strcmp(row->group, argv[0]) == 0)
			nearest_offer(&nearest, row->name);
	}
	return cli_usage_error(cli, "unknown command %s%s%s%s%s%s", argv[0], group ? " " : "",
		group ? argv[1] : "", nearest.found ? "; did you mean " : "",
		nearest.found ? nearest.found : "", nearest.found ? "?" : "");
}

static int check_operands(const struct cli *cli)
{
	const struct cli_command *command = cli->command;

	if (cli->operand_count < command->operands_min)
		return cli_usage_error(cli, "an argument is missing");
	if (command->operands_max >= 0 && cli->operand_count > command->operands_max)
		return cli_usage_error(cli, "unexpected argument \"%s\"",
			cli->operands[command->operands_max]);
	return -1;
}

static int run_command(struct cli *cli, int argc, char **argv)
{
	int words, status;

	cli->command = dispatch_find_command(argc, argv, &words);
	if (!cli->command)
		return unknown_command(cli, argc, argv);
	/* getopt skips argv[0], the last word of the command's name. */
	argc -= words - 1;
	argv += words - 1;
	status = dispatch_read_options(cli, argc, argv);
	if (status >= 0)
		return status;
	cli->operands = argv + optind;
	cli->operand_count = argc - optind;
	status = check_operands(cli);
	return status >= 0 ? status : cli->command->run(cli);
}

/* Fails if output was lost, for example on a full disk, even if the command succeeded. */
static int close_output(const struct cli *cli, int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	cli_error(cli, NULL, "cannot write to standard output: %s", strerror(errno));
	return status == EXIT_OK ? EXIT_FAILED : status;
}

static void dispatch_clear(struct cli *cli)
{
	for (size_t i = 0; i < CLI_OPTIONS_MAX; i++)
		free(cli->values[i].texts);
	config_free(cli->config);
}

int cli_main(int argc, char **argv)
{
	struct cli cli = {
		.out_is_terminal = isatty(STDOUT_FILENO),
		.err_is_terminal = isatty(STDERR_FILENO),
	};
	int status;

	cli.colour = cli.err_is_terminal && !getenv("NO_COLOR");
	status = dispatch_read_options(&cli, argc, argv);
	if (status < 0 && optind >= argc) {
		cli_print_help();
		status = EXIT_USAGE;
	} else if (status < 0) {
		status = run_command(&cli, argc - optind, argv + optind);
	}
	status = close_output(&cli, status);
	dispatch_clear(&cli);
	return status;
}
