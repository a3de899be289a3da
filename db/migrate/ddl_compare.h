/*
 * ddl_compare.h - is what has the name of a custom index the index that the configuration asks for?
 *
 * The server compares: it creates the index on an empty temporary table of the same columns, in a
 * transaction that is rolled back, and prints both definitions in its own spelling. So a predicate may be
 * written in any way. Storage parameters and the tablespace do not count: an operator may change them.
 *
 * Blocks. Nobody else may use the connection meanwhile, which must be idle and stays idle.
 */
#ifndef DB_MIGRATE_DDL_COMPARE_H
#define DB_MIGRATE_DDL_COMPARE_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "db/migrate/ddl.h"

enum ddl_likeness {
	DDL_SAME,    /* ... or nothing has the name */
	DDL_DIFFERS, /* *text names both definitions */
	DDL_UNKNOWN, /* they cannot be compared: *text says why */
};

/* The caller frees *text, which is NULL for DDL_SAME. */
enum ddl_likeness ddl_compare_index(PGconn *conn, const char *schema,
	const struct ddl_object *index, char **text) __attribute__((warn_unused_result));

#endif
