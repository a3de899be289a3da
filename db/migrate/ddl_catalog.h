/*
 * ddl_catalog.h - a snapshot of the objects in a PostgreSQL schema
 *
 * One query reads the catalog, a second one the version; later changes of the database do not show.
 * Immutable once loaded: any thread may read it.
 */
#ifndef DB_MIGRATE_DDL_CATALOG_H
#define DB_MIGRATE_DDL_CATALOG_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "db/migrate/ddl_lock.h"

struct ddl_catalog;

/* Reads the catalog; `lock` is init's, or NULL. NULL: failed, `err` has the reason. Free with
 * ddl_catalog_free. */
struct ddl_catalog *ddl_catalog_load(PGconn *conn, struct ddl_lock *lock, const char *schema,
	char *err, size_t errlen) __attribute__((warn_unused_result));
void ddl_catalog_free(struct ddl_catalog *catalog);

bool ddl_catalog_schema(const struct ddl_catalog *catalog);
bool ddl_catalog_table(const struct ddl_catalog *catalog, const char *table);
/* Does the table exist without a single page? */
bool ddl_catalog_empty(const struct ddl_catalog *catalog, const char *table);
/* The column's type as format_type() prints it; NULL: no such column. */
const char *ddl_catalog_column(const struct ddl_catalog *catalog, const char *table,
	const char *column);
/* Does the schema have a constraint or an index of this name? */
bool ddl_catalog_constraint(const struct ddl_catalog *catalog, const char *name);
bool ddl_catalog_primary(const struct ddl_catalog *catalog, const char *table);
/* Does the function exist with this body? NULL: with any body. */
bool ddl_catalog_function(const struct ddl_catalog *catalog, const char *name, const char *body);
/* Does the table have this trigger, BEFORE INSERT OR UPDATE FOR EACH ROW, calling the schema's function? */
bool ddl_catalog_trigger(const struct ddl_catalog *catalog, const char *table, const char *name,
	const char *function);

enum ddl_index_state {
	DDL_INDEX_NONE,
	DDL_INDEX_BROKEN,   /* invalid: its build failed or was interrupted */
	DDL_INDEX_BUILDING, /* invalid, but the table has the lock of a running build */
	DDL_INDEX_VALID,
	DDL_INDEX_REPLICA, /* valid, and the table's replica identity */
};
enum ddl_index_state ddl_catalog_index(const struct ddl_catalog *catalog, const char *name);

/* The version of the worker's own objects; 0: none. */
int ddl_catalog_version(const struct ddl_catalog *catalog);

/* Writes "<what>: <the connection's error>" into `err`. */
void ddl_say(PGconn *conn, const char *what, char *err, size_t errlen);

#endif
