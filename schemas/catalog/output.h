/*
 * output.h - writes the schemas to files, for clients
 *
 * The files are DIR/<domain>/<Method>.avsc, DIR/<domain>/<Method>Reply.avsc, DIR/Error.avsc and
 * DIR/index.json, which lists each command with its files and fingerprints, and with what a client must
 * know about it.
 */
#ifndef SCHEMAS_CATALOG_OUTPUT_H
#define SCHEMAS_CATALOG_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "schemas/catalog/catalog.h"

/* What the index says of a command that its schemas do not. */
struct schema_note {
	const char *key;      /* dotted path of the message key; "": none */
	char *topic;          /* where clients send it by default */
	bool positional;      /* the fields are positional parameters, in their order */
	const char *flags[4]; /* up to the first NULL */
};

/* Writes all files. `notes` has a note for each command, by index. Creates missing folders and replaces existing files. False if a file can't be written;
 * `error` then has its path and the reason. */
bool schemas_write(const char *directory, const struct catalog *catalog,
	const struct schema_note *notes, char *error, size_t error_size)
	__attribute__((warn_unused_result));

#endif
