/*
 * catalog.h - all commands' schemas compiled, and who may have written a command
 *
 * Writers are told apart by the fingerprint of their schema: the schemas built in, those of
 * earlier releases (schemas/history), and those of a configured folder. The folder is read when
 * a catalog is made; to read it again (SIGHUP) make a new catalog, use it for what is decoded
 * from then on, and free the old one when nothing that was decoded with it is left: datums may
 * point to defaults in it.
 *
 * Immutable once made: any thread may read it.
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

/* A schema of ours. */
struct catalog_schema {
	const char *text; /* JSON, complete */
	const struct type *type;
	uint64_t fingerprint;
	const struct plan *plan; /* reads what was written with this same schema */
};

/* A schema that commands may be written with. */
struct catalog_writer {
	uint64_t fingerprint;
	int command;             /* index in schema_defs and command_defs */
	const struct plan *plan; /* reads its data as the command's own request type */
};

/* `directory` holds writers' schemas, *.avsc, one complete record each; NULL: none. NULL on
 * failure: `error` names the schema or the file, and why. Free with catalog_free. */
struct catalog *catalog_new(const char *directory, char *error, size_t error_size)
	__attribute__((warn_unused_result));
void catalog_free(struct catalog *catalog);

/* Index of the command of that name ("memory.saveThread"), -1 if there is none. */
int catalog_command(const char *name, size_t size);

/* NULL if no command is written with a schema of that fingerprint. */
const struct catalog_writer *catalog_find(const struct catalog *catalog, uint64_t fingerprint);

/* The writer that a message's header names. NULL if there is none, or none is known by the kind of
 * identity that the framing has: today, only fingerprints are. */
const struct catalog_writer *catalog_find_framed(const struct catalog *catalog,
	const struct framing *framing);

/* Does the message's header name this schema? */
bool catalog_wrote(const struct catalog_schema *schema, const struct framing *framing);

/* By the command's index. The type of a reply is the record whose only field is `result`. */
const struct catalog_schema *catalog_request(const struct catalog *catalog, int command);
const struct catalog_schema *catalog_reply(const struct catalog *catalog, int command);

/* mastra.Error */
const struct catalog_schema *catalog_error(const struct catalog *catalog);

#endif
