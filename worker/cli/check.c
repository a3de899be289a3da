/*
 * check.c - `stowage check`
 */
#include <stdarg.h>
#include <stdio.h>

#include "schemas/catalog/catalog.h"
#include "worker/cli/check.h"

enum verdict { VERDICT_OK, VERDICT_NOTE, VERDICT_FAILED };

static void cli_check_print_line(const struct check *check, enum verdict verdict, const char *what,
	const char *hint, const char *format, va_list args)
{
	static const char *const words[] = { "ok    ", "note  ", "failed" };
	static const char *const colours[] = { "\033[32m", "\033[33m", "\033[31m" };
	bool colour = check->cli->out_is_terminal && check->cli->colour;

	printf("%s%s%s  %-16s ", colour ? colours[verdict] : "", words[verdict],
		colour ? "\033[0m" : "", what);
	vprintf(format, args);
	putchar('\n');
	if (hint)
		printf("                         %s\n", hint);
	fflush(stdout);
}

void check_ok(struct check *check, const char *what, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	cli_check_print_line(check, VERDICT_OK, what, NULL, format, args);
	va_end(args);
}

void check_note(struct check *check, const char *what, const char *hint, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	cli_check_print_line(check, VERDICT_NOTE, what, hint, format, args);
	va_end(args);
}

void check_failed(struct check *check, enum exit_status status, const char *what, const char *hint,
	const char *format, ...)
{
	va_list args;

	if (check->status == EXIT_OK)
		check->status = status;
	va_start(args, format);
	cli_check_print_line(check, VERDICT_FAILED, what, hint, format, args);
	va_end(args);
}

/* What SIGHUP would read, too. */
static void check_schemas(struct check *check)
{
	const char *directory = check->config->schemas.directory;
	char error[1024];
	struct catalog *catalog;

	if (!directory)
		return;
	catalog = catalog_new(directory, error, sizeof(error));
	if (catalog)
		check_ok(check, "schemas", "those of %s can be read", directory);
	else
		check_failed(check, EXIT_CONFIG, "schemas",
			"correct schemas.directory, or what is in it", "%s", error);
	catalog_free(catalog);
}

static int cli_check_run(struct cli *cli)
{
	struct check check = { .cli = cli, .config = cli_config(cli) };

	if (!check.config) {
		check_failed(&check, EXIT_CONFIG, "configuration",
			"`stowage config --reference` documents every key", "see the lines above");
		return check.status;
	}
	check_ok(&check, "configuration", "without mistakes");
	check_schemas(&check);
	check_database(&check);
	check_kafka(&check);
	return check.status;
}

const struct cli_command cli_check = {
	.name = "check",
	.summary = "check configuration, database, statements and Kafka",
	.usage = "",
	.help = "Prints a line for each thing looked at: ok, failed with the way out, or a note. Changes\n"
		"nothing. Every statement of every command is prepared and its columns are held against\n"
		"the command's reply. The exit status is that of the first failure.",
	.run = cli_check_run,
};
