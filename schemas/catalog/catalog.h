/*
 * catalog.h - all compiled schemas: of the commands, and of the writers of commands
 *
 * A client may write a command with a schema of this release, with a schema of an earlier release
 * (schemas/history), or with a schema of a configured folder. The header of a message names it.
 *
 * catalog_new() reads the folder. To read it again (SIGHUP), create a new catalog and decode with
 * it. Free the old catalog when no datum decoded with it is left: datums may point to its defaults.
 *
 * A catalog is immutable, so any thread may read it.
 */
#ifndef SCHEMAS_CATALOG_CATALOG_H
#define SCHEMAS_CATALOG_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schemas/avro/framing.h"
#include "schemas/avro/plan.h"
#include "schemas/avro/type.h"

struct catalog;

/* A schema of this release. */
struct catalog_schema {
	const char *text; /* JSON, complete */
	const struct type *type;
	uint64_t fingerprint;
	const struct plan *plan; /* reads data written with this schema */
};

/* A schema that a client may write a command with. */
struct catalog_writer {
	uint64_t fingerprint;
	int command;             /* index in schema_defs and command_defs */
	const struct plan *plan; /* reads data of this schema as the command's request type */
};

/* Creates a catalog. `directory` (NULL: none) has schemas of writers, *.avsc, one complete record
 * each. NULL on failure; `error` then has the schema or file and the reason. Free it with
 * catalog_free. */
struct catalog *catalog_new(const char *directory, char *error, size_t error_size)
	__attribute__((warn_unused_result));
void catalog_free(struct catalog *catalog);

/* Returns the index of the command ("memory.saveThread"), -1 if there is no such command. */
int catalog_command(const char *name, size_t size);

/* Returns the writer with this fingerprint, NULL if there is none. */
const struct catalog_writer *catalog_find(const struct catalog *catalog, uint64_t fingerprint);

/* Returns the writer that a message's header names, NULL if there is none. The catalog knows writers
 * by their fingerprints only, so it finds none for a registry's id. */
const struct catalog_writer *catalog_find_framed(const struct catalog *catalog,
	const struct framing *framing);

/* Does the message's header name this schema? */
bool catalog_wrote(const struct catalog_schema *schema, const struct framing *framing);

/* By the index of the command. The type of a reply is the record whose only field is `result`. */
const struct catalog_schema *catalog_request(const struct catalog *catalog, int command);
const struct catalog_schema *catalog_reply(const struct catalog *catalog, int command);

/* Returns the schema of mastra.Error. */
const struct catalog_schema *catalog_error(const struct catalog *catalog);

#endif
