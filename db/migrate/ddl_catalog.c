/* ddl_catalog.c - the query that reads the catalog, and lookups in its rows */
#include "db/migrate/ddl_catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/migrate/ddl_wait.h"
#include "schemas/base/text.h"

struct ddl_catalog {
	PGresult *rows; /* kind, parent, name, extra; sorted by the bytes of the first three */
	int count;
	int version;
};

/* $1 is the schema. The query leaves out other applications' tables in a shared schema, but not their
 * indexes: those may occupy a name that Stowage needs. */
static const char catalog_sql[] =
	"WITH space AS (SELECT oid, nspname FROM pg_catalog.pg_namespace WHERE nspname = $1),\n"
	"tables AS (\n"
	"	SELECT c.oid, c.relname, c.relkind\n"
	"	FROM pg_catalog.pg_class c JOIN space ON space.oid = c.relnamespace\n"
	"	WHERE c.relkind IN ('r', 'p')\n"
	"		AND (c.relname LIKE 'mastra%' OR c.relname LIKE 'stowage%')),\n"
	"objects (kind, parent, name, extra) AS (\n"
	"	SELECT 'schema', '', nspname::text, '' FROM space\n"
	"	UNION ALL SELECT 'table', '', relname, CASE WHEN relkind = 'r'\n"
	"		AND pg_catalog.pg_relation_size(oid) = 0 THEN 'empty' ELSE '' END FROM tables\n"
	"	UNION ALL SELECT 'column', tables.relname, a.attname,\n"
	"		pg_catalog.format_type(a.atttypid, a.atttypmod)\n"
	"	FROM tables JOIN pg_catalog.pg_attribute a ON a.attrelid = tables.oid\n"
	"	WHERE a.attnum > 0 AND NOT a.attisdropped\n"
	"	UNION ALL SELECT 'index', '', c.relname, CASE WHEN NOT i.indisvalid THEN\n"
	"		CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE l.relation = i.indrelid\n"
	"			AND l.mode = 'ShareUpdateExclusiveLock' AND l.granted)\n"
	"			THEN 'building' ELSE 'broken' END\n"
	"		WHEN i.indisreplident THEN 'replica' ELSE 'valid' END\n"
	"	FROM pg_catalog.pg_class c JOIN space ON space.oid = c.relnamespace\n"
	"	JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid\n"
	"	UNION ALL SELECT 'constraint', '', k.conname, ''\n"
	"	FROM pg_catalog.pg_constraint k JOIN space ON space.oid = k.connamespace\n"
	"	UNION ALL SELECT 'primary', '', tables.relname, ''\n"
	"	FROM tables JOIN pg_catalog.pg_constraint k ON k.conrelid = tables.oid\n"
	"	WHERE k.contype = 'p'\n"
	"	UNION ALL SELECT 'function', '', p.proname, p.prosrc\n"
	"	FROM pg_catalog.pg_proc p JOIN space ON space.oid = p.pronamespace\n"
	"	WHERE p.proname LIKE 'stowage%' OR p.proname LIKE 'trigger%'\n"
	"	UNION ALL SELECT 'trigger', tables.relname, g.tgname, g.tgtype || ' ' || p.proname\n"
	"	FROM tables JOIN pg_catalog.pg_trigger g ON g.tgrelid = tables.oid\n"
	"	JOIN pg_catalog.pg_proc p ON p.oid = g.tgfoid JOIN space ON space.oid = p.pronamespace\n"
	"	WHERE NOT g.tgisinternal)\n"
	"SELECT kind, parent, name, extra FROM objects\n"
	"ORDER BY kind COLLATE \"C\", parent COLLATE \"C\", name COLLATE \"C\"";

void ddl_say(PGconn *conn, const char *what, char *err, size_t errlen)
{
	snprintf(err, errlen, "%s: %s", what, PQerrorMessage(conn));
	size_t len = strlen(err);
	while (len > 0 && err[len - 1] == '\n')
		err[--len] = '\0';
}

static bool ddl_catalog_read_version(PGconn *conn, struct ddl_lock *lock,
	struct ddl_catalog *catalog, const char *schema)
{
	struct buffer sql = { 0 };

	text_add(&sql, "SELECT coalesce(max(version), 0) FROM ");
	text_add_ident(&sql, schema);
	text_add(&sql, ".stowage_schema_version");
	PGresult *result = ddl_wait_for(conn, lock, text_string(&sql));
	bool read = PQresultStatus(result) == PGRES_TUPLES_OK;
	if (read)
		catalog->version = atoi(PQgetvalue(result, 0, 0));
	PQclear(result);
	buffer_free(&sql);
	return read;
}

struct ddl_catalog *ddl_catalog_load(PGconn *conn, struct ddl_lock *lock, const char *schema,
	char *err, size_t errlen)
{
	struct ddl_catalog *catalog = calloc(1, sizeof *catalog);
	const char *what = "cannot read the catalog";

	if (!catalog)
		abort();
	catalog->rows = ddl_wait_result(conn, lock,
		PQsendQueryParams(conn, catalog_sql, 1, NULL, &schema, NULL, NULL, 0));
	bool read = PQresultStatus(catalog->rows) == PGRES_TUPLES_OK;
	if (read) {
		catalog->count = PQntuples(catalog->rows);
		what = "cannot read the version of the worker's own tables";
		if (ddl_catalog_table(catalog, "stowage_schema_version"))
			read = ddl_catalog_read_version(conn, lock, catalog, schema);
	}
	if (read)
		return catalog;
	ddl_say(conn, what, err, errlen);
	ddl_catalog_free(catalog);
	return NULL;
}

void ddl_catalog_free(struct ddl_catalog *catalog)
{
	if (!catalog)
		return;
	PQclear(catalog->rows);
	free(catalog);
}

static int ddl_catalog_compare(const struct ddl_catalog *catalog, int row, const char *const key[3])
{
	int order = 0;

	for (int i = 0; i < 3 && order == 0; i++)
		order = strcmp(PQgetvalue(catalog->rows, row, i), key[i]);
	return order;
}

/* The first row of this kind, parent and name; -1: none. */
static int ddl_catalog_find(const struct ddl_catalog *catalog, const char *kind, const char *parent,
	const char *name)
{
	const char *const key[3] = { kind, parent, name };
	int low = 0, high = catalog->count;

	while (low < high) {
		int middle = low + (high - low) / 2;
		if (ddl_catalog_compare(catalog, middle, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < catalog->count && ddl_catalog_compare(catalog, low, key) == 0 ? low : -1;
}

/* Is there such a row with this extra? NULL: with any extra. */
static bool ddl_catalog_find_extra(const struct ddl_catalog *catalog, const char *kind,
	const char *parent, const char *name, const char *extra)
{
	const char *const key[3] = { kind, parent, name };
	int row = ddl_catalog_find(catalog, kind, parent, name);

	for (; row >= 0 && row < catalog->count && ddl_catalog_compare(catalog, row, key) == 0;
		row++) {
		if (!extra || !strcmp(PQgetvalue(catalog->rows, row, 3), extra))
			return true;
	}
	return false;
}

bool ddl_catalog_schema(const struct ddl_catalog *catalog)
{
	return catalog->count > 0;
}

bool ddl_catalog_table(const struct ddl_catalog *catalog, const char *table)
{
	return ddl_catalog_find(catalog, "table", "", table) >= 0;
}

bool ddl_catalog_empty(const struct ddl_catalog *catalog, const char *table)
{
	return ddl_catalog_find_extra(catalog, "table", "", table, "empty");
}

const char *ddl_catalog_column(const struct ddl_catalog *catalog, const char *table,
	const char *column)
{
	int row = ddl_catalog_find(catalog, "column", table, column);

	return row < 0 ? NULL : PQgetvalue(catalog->rows, row, 3);
}

bool ddl_catalog_constraint(const struct ddl_catalog *catalog, const char *name)
{
	return ddl_catalog_find(catalog, "constraint", "", name) >= 0 ||
		ddl_catalog_find(catalog, "index", "", name) >= 0;
}

bool ddl_catalog_primary(const struct ddl_catalog *catalog, const char *table)
{
	return ddl_catalog_find(catalog, "primary", "", table) >= 0;
}

bool ddl_catalog_function(const struct ddl_catalog *catalog, const char *name, const char *body)
{
	return ddl_catalog_find_extra(catalog, "function", "", name, body);
}

bool ddl_catalog_trigger(const struct ddl_catalog *catalog, const char *table, const char *name,
	const char *function)
{
	struct buffer extra = { 0 };

	/* pg_trigger.tgtype: 1 FOR EACH ROW + 2 BEFORE + 4 INSERT + 16 UPDATE */
	text_addf(&extra, "23 %s", function);
	bool found = ddl_catalog_find_extra(catalog, "trigger", table, name, text_string(&extra));
	buffer_free(&extra);
	return found;
}

enum ddl_index_state ddl_catalog_index(const struct ddl_catalog *catalog, const char *name)
{
	static const struct {
		const char *name;
		enum ddl_index_state state;
	} states[] = { { "valid", DDL_INDEX_VALID }, { "replica", DDL_INDEX_REPLICA },
		{ "building", DDL_INDEX_BUILDING }, { "broken", DDL_INDEX_BROKEN } };

	for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
		if (ddl_catalog_find_extra(catalog, "index", "", name, states[i].name))
			return states[i].state;
	}
	return DDL_INDEX_NONE;
}

int ddl_catalog_version(const struct ddl_catalog *catalog)
{
	return catalog->version;
}
