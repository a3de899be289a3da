/*
 * output.h - the schemas as files, for clients
 *
 * DIR/<domain>/<Method>.avsc, DIR/<domain>/<Method>Reply.avsc, DIR/Error.avsc and DIR/index.json,
 * as protocol.md says under "Finding the schemas".
 */
#ifndef SCHEMAS_CATALOG_OUTPUT_H
#define SCHEMAS_CATALOG_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "schemas/catalog/catalog.h"

/* `keys` has for each command, by its index, the dotted path of the message key; "" for none.
 * Folders that are missing are made, files that are there are replaced. False if one can't be
 * written; `error` says which and why. */
bool schemas_write(const char *directory, const struct catalog *catalog, const char *const *keys,
	char *error, size_t error_size) __attribute__((warn_unused_result));

#endif
