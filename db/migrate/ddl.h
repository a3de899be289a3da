/*
 * ddl.h - the objects a PostgreSQL schema holds, as SQL: the reference's and the worker's own
 *
 * A script is the list of all objects for one schema, each with its SQL; migrate.h compares it
 * with a database and runs what is missing. Nothing here talks to a database.
 *
 * A script owns what it hands out, unless said otherwise, and is immutable: any thread may read
 * it. Allocation failure ends the process.
 */
#ifndef DB_MIGRATE_DDL_H
#define DB_MIGRATE_DDL_H

#include <stdbool.h>
#include <stddef.h>

#include "db/ddl/ddl_source.h"
#include "db/migrate/ddl_name.h"

/* An index of the user's own; names as the reference's CreateIndexOptions has them. What is not
 * given is NULL. The texts are SQL of the configuration, trusted as such. */
struct ddl_index {
	const char *name;
	const char *table;          /* a table of the reference or of the worker */
	const char *const *columns; /* "name" or "name DESC NULLS LAST" */
	size_t column_count;
	bool unique;
	const char *where;
	const char *method;  /* btree, hash, gin, gist, spgist, brin */
	const char *opclass; /* for every column */
	const char *storage; /* "fillfactor = 70, fastupdate = off" */
	const char *tablespace;
};

struct ddl_options {
	const char *schema; /* unquoted; ddl_schema_valid() */
	bool reference_tables;
	bool own_tables; /* the worker's: only in postgres.schemaName, not in a tenant's schema */
	bool skip_default_indexes;
	const struct ddl_index *indexes;
	size_t index_count;
};

struct ddl_object {
	struct ddl_source source; /* what it is, with the SQL's placeholders */
	struct ddl_name name;     /* its name in this schema */
};

struct ddl_script;

/* The objects for one schema, in an order in which they can be made. The options need not
 * outlive the call. Free with ddl_script_free. */
struct ddl_script *ddl_script_new(const struct ddl_options *options);
void ddl_script_free(struct ddl_script *script);

const char *ddl_script_schema(const struct ddl_script *script);
size_t ddl_script_count(const struct ddl_script *script);
const struct ddl_object *ddl_script_object(const struct ddl_script *script, size_t i);

/* Custom indexes that were left out, each with the reason in one line. */
size_t ddl_script_complaint_count(const struct ddl_script *script);
const char *ddl_script_complaint(const struct ddl_script *script, size_t i);

/* Statement i of an object, without semicolon, its placeholders filled in; NULL past the last.
 * `concurrently` is for indexes of tables in use. The caller frees it. */
char *ddl_statement(const struct ddl_script *script, const struct ddl_object *object, size_t i,
	bool concurrently);

/* The complete DDL for these schemas, runnable by psql on an empty database and again on its
 * result. The names must be valid. The caller frees it. */
char *ddl_export(const char *const *schemas, size_t count);

#endif
