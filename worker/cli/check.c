/*
 * check.c - `stowage check`: checks the configuration, the database and Kafka
 */
#include "schemas/catalog/catalog.h"
#include "worker/cli/check_database.h"
#include "worker/cli/check_kafka.h"
#include "worker/cli/check_report.h"

/* The worker reads the same schemas at start and on SIGHUP. */
static void check_schemas(struct check *check)
{
	const char *directory = check->config->schemas.directory;
	char error[1024];
	struct catalog *catalog;

	if (!directory)
		return;
	catalog = catalog_new(directory, error, sizeof(error));
	if (catalog)
		check_ok(check, "schemas", "can read the schemas in %s", directory);
	else
		check_failed(check, EXIT_CONFIG, "schemas",
			"correct schemas.directory or the files in it", "%s", error);
	catalog_free(catalog);
}

static int cli_check_run(struct cli *cli)
{
	struct check check = { .cli = cli, .config = cli_config(cli) };

	if (!check.config) {
		check_failed(&check, EXIT_CONFIG, "configuration",
			"`stowage config --reference` documents every key",
			"has mistakes, see the lines above");
		return check.status;
	}
	check_ok(&check, "configuration", "no mistakes");
	check_schemas(&check);
	check_database(&check);
	check_kafka(&check);
	return check.status;
}

const struct cli_command cli_check = {
	.name = "check",
	.summary = "check configuration, database, statements, Kafka and rights",
	.usage = "",
	.help = "Prints one line per check: ok, failed with a solution, or a note. Changes nothing. Plans\n"
		"every statement of every command and compares its columns with the command's reply. The\n"
		"first failure determines the exit status.",
	.run = cli_check_run,
};
