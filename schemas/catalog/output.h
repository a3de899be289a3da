/*
 * output.h - writes the schemas to files, for clients
 *
 * The files are DIR/<domain>/<Method>.avsc, DIR/<domain>/<Method>Reply.avsc, DIR/Error.avsc,
 * DIR/index.json, which lists each command with its files and fingerprints, and with what a client must
 * know about it, and DIR/store.json, which says what the reference's objects say of themselves. DIR/asyncapi.json describes all
 * of it as an AsyncAPI document.
 */
#ifndef SCHEMAS_CATALOG_OUTPUT_H
#define SCHEMAS_CATALOG_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "schemas/catalog/catalog.h"

/* Writes all files. Creates missing folders and replaces existing files. False if a file can't be written;
 * `error` then has its path and the reason. */
bool schemas_write(const char *directory, const struct catalog *catalog, char *error,
	size_t error_size) __attribute__((warn_unused_result));

#endif
