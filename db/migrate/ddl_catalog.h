/*
 * ddl_catalog.h - what a PostgreSQL schema holds at this moment
 *
 * Read by one query (and a second for the version) and then only looked up: a snapshot, which
 * does not follow later changes. Immutable once loaded, so any thread may look things up.
 */
#ifndef DB_MIGRATE_DDL_CATALOG_H
#define DB_MIGRATE_DDL_CATALOG_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

struct ddl_catalog;

/* Reads the catalog. On failure returns NULL and says why in `err`. Free with ddl_catalog_free. */
struct ddl_catalog *ddl_catalog_load(PGconn *conn, const char *schema, char *err, size_t errlen)
	__attribute__((warn_unused_result));
void ddl_catalog_free(struct ddl_catalog *catalog);

bool ddl_catalog_schema(const struct ddl_catalog *catalog);
bool ddl_catalog_table(const struct ddl_catalog *catalog, const char *table);
/* Whether the table is there and has not a page of rows. */
bool ddl_catalog_empty(const struct ddl_catalog *catalog, const char *table);
/* Its type as format_type() has it; NULL: there is no such column. */
const char *ddl_catalog_column(const struct ddl_catalog *catalog, const char *table,
	const char *column);
/* A constraint, or an index, of that name in the schema. */
bool ddl_catalog_constraint(const struct ddl_catalog *catalog, const char *name);
bool ddl_catalog_primary(const struct ddl_catalog *catalog, const char *table);
/* NULL: whatever its body. */
bool ddl_catalog_function(const struct ddl_catalog *catalog, const char *name, const char *body);
/* A trigger BEFORE INSERT OR UPDATE FOR EACH ROW that calls that function of the schema. */
bool ddl_catalog_trigger(const struct ddl_catalog *catalog, const char *table, const char *name,
	const char *function);

enum ddl_index_state {
	DDL_INDEX_NONE,
	DDL_INDEX_BROKEN,   /* invalid: its build was interrupted or failed */
	DDL_INDEX_BUILDING, /* invalid, but its table is locked as it is during a build */
	DDL_INDEX_VALID,
	DDL_INDEX_REPLICA, /* valid and the table's replica identity */
};
enum ddl_index_state ddl_catalog_index(const struct ddl_catalog *catalog, const char *name);

/* Version of the worker's own objects; 0 if there are none. */
int ddl_catalog_version(const struct ddl_catalog *catalog);

/* Puts "what: the connection's error" into `err`. */
void ddl_say(PGconn *conn, const char *what, char *err, size_t errlen);

#endif
