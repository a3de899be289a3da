/*
 * schemas.c - `stowage schemas`: writes the Avro schemas of all commands
 */
#include <stdio.h>

#include "handlers/domains/command_table.h"
#include "schemas/catalog/catalog.h"
#include "schemas/catalog/output.h"
#include "worker/cli/cli.h"

static bool write_schemas(const char *directory, char *error, size_t error_size)
{
	struct catalog *catalog = catalog_new(NULL, error, error_size);
	bool ok;

	if (!catalog)
		return false;
	ok = schemas_write(directory, catalog, error, error_size);
	catalog_free(catalog);
	return ok;
}

static int cli_schemas_run(struct cli *cli)
{
	const char *directory = cli_text(cli, "output");
	char error[1024];

	if (!directory)
		return cli_usage_error(cli, "--output DIR is missing");
	if (!write_schemas(directory, error, sizeof(error))) {
		cli_error(cli, NULL, "%s", error);
		return EXIT_FAILED;
	}
	printf("wrote the schemas of %zu commands to %s\n", command_count, directory);
	return EXIT_OK;
}

const struct cli_command cli_schemas = {
	.name = "schemas",
	.summary = "write the Avro schemas of all commands, for clients",
	.usage = "--output DIR",
	.help = "Writes DIR/<domain>/<Method>.avsc, <Method>Reply.avsc, DIR/Error.avsc, DIR/index.json,\n"
		"DIR/store.json and DIR/asyncapi.json. The index lists each command with its paths,\n"
		"fingerprints, key, topic, flags, error codes and an example; asyncapi.json describes the\n"
		"whole as an AsyncAPI document. Clients need nothing else. Replaces existing files.",
	.options =
		(const struct cli_option[]){
			{ "output", "DIR", "the directory; created if it is missing" },
			{ NULL, NULL, NULL },
		},
	.run = cli_schemas_run,
};
