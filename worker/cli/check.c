/*
 * check.c - `stowage check`
 */
#include "schemas/catalog/catalog.h"
#include "worker/cli/check_database.h"
#include "worker/cli/check_kafka.h"
#include "worker/cli/check_report.h"

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
