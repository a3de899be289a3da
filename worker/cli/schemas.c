/*
 * schemas.c - `stowage schemas`: writes the Avro schemas of all commands
 */
#include <stdio.h>
#include <stdlib.h>

#include "handlers/domains/command_table.h"
#include "schemas/base/alloc.h"
#include "schemas/catalog/catalog.h"
#include "schemas/catalog/output.h"
#include "worker/cli/cli.h"
#include "worker/kafka/topic_create.h"

/* The flags that a client notices; the others steer the engine. */
static void note_flags(struct schema_note *note, unsigned flags)
{
	static const struct {
		unsigned flag;
		const char *word;
	} shown[] = {
		{ COMMAND_READ, "read" },
		{ COMMAND_WRITE, "write" },
		{ COMMAND_OUTSIDE, "outside" },
		{ COMMAND_DETACHED, "detached" },
		{ COMMAND_DEFERRED, "deferred" },
	};
	size_t count = 0;

	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		if (flags & shown[i].flag)
			note->flags[count++] = shown[i].word;
}

/* Free it with notes_free. */
static struct schema_note *notes_new(void)
{
	struct schema_note *notes = alloc_zero(command_count, sizeof(*notes));

	for (size_t i = 0; i < command_count; i++) {
		const struct command_def *command = &command_defs[i];
		notes[i].key = command->key;
		notes[i].topic = alloc_printf(TOPIC_COMMANDS "%s", command->domain);
		notes[i].positional = command->flags & COMMAND_POSITIONAL;
		note_flags(&notes[i], command->flags);
	}
	return notes;
}

static void notes_free(struct schema_note *notes)
{
	for (size_t i = 0; i < command_count; i++)
		free(notes[i].topic);
	free(notes);
}

static bool write_schemas(const char *directory, char *error, size_t error_size)
{
	struct catalog *catalog = catalog_new(NULL, error, error_size);
	struct schema_note *notes;
	bool ok;

	if (!catalog)
		return false;
	notes = notes_new();
	ok = schemas_write(directory, catalog, notes, error, error_size);
	notes_free(notes);
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
	.help = "Writes DIR/<domain>/<Method>.avsc, <Method>Reply.avsc, DIR/Error.avsc and DIR/index.json.\n"
		"The index lists each command with its paths, fingerprints, key, topic and flags. Clients\n"
		"need nothing else. Replaces existing files.",
	.options =
		(const struct cli_option[]){
			{ "output", "DIR", "the directory; created if it is missing" },
			{ NULL, NULL, NULL },
		},
	.run = cli_schemas_run,
};
