/*
 * ddl.h - the objects of a PostgreSQL schema as SQL: the reference's and the worker's own
 *
 * A script lists all objects of one schema, each with its SQL. migrate.h compares a script with a database
 * and runs what is missing. This module does not connect to a database.
 *
 * A script owns what its functions return, unless stated otherwise. It is immutable: any thread may read
 * it. A failed allocation aborts the process.
 */
#ifndef DB_MIGRATE_DDL_H
#define DB_MIGRATE_DDL_H

#include <stdbool.h>
#include <stddef.h>

#include "db/ddl/ddl_source.h"
#include "db/migrate/ddl_name.h"

/* A custom index of the configuration; the members' names follow the reference's CreateIndexOptions. NULL:
 * not given. The texts go into the SQL as they are: the configuration is trusted. */
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
	bool locking; /* build it in one statement, which locks writers out */
};

struct ddl_options {
	const char *schema; /* unquoted; must pass ddl_schema_valid() */
	bool reference_tables;
	bool own_tables; /* the worker's tables; not for a tenant's schema */
	bool skip_default_indexes;
	const struct ddl_index *indexes;
	size_t index_count;
};

struct ddl_object {
	struct ddl_source source; /* the declaration; its SQL has placeholders */
	struct ddl_name name;     /* the name in this schema */
	bool custom;              /* an index of the configuration */
	bool locking;             /* custom: see struct ddl_index */
};

struct ddl_script;

/* The objects of one schema, in an order in which they can be created. The options need not outlive the
 * call. Free with ddl_script_free. */
struct ddl_script *ddl_script_new(const struct ddl_options *options);
void ddl_script_free(struct ddl_script *script);

const char *ddl_script_schema(const struct ddl_script *script);
size_t ddl_script_count(const struct ddl_script *script);
const struct ddl_object *ddl_script_object(const struct ddl_script *script, size_t i);

/* The custom indexes that the script leaves out, each with its reason in one line. */
size_t ddl_script_complaint_count(const struct ddl_script *script);
const char *ddl_script_complaint(const struct ddl_script *script, size_t i);

/* Statement i of an object with its placeholders filled in and without the semicolon; NULL behind the last
 * one. `concurrently` is for indexes of tables in use. The caller frees the statement. */
char *ddl_statement(const struct ddl_script *script, const struct ddl_object *object, size_t i,
	bool concurrently);
/* The same for an object of that name in another schema. */
char *ddl_statement_in(const char *schema, const char *name, const struct ddl_object *object,
	size_t i, bool concurrently);
/* What quotes the bodies of functions in these statements: the name of the schema does not hold it. */
const char *ddl_body_quote(const char *schema);

/* The complete DDL of these schemas. psql can run it on an empty database, and again on the result. The
 * names must be valid. The caller frees it. */
char *ddl_export(const char *const *schemas, size_t count);

#endif
