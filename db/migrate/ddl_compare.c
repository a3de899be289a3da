/* ddl_compare.c - the definitions of an existing index and of its twin on a temporary table */
#include "db/migrate/ddl_compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/text.h"

#define TWIN "stowage_twin"

/* What has a name in a schema: $1 schema, $2 name. For an index, its definition without names that the
 * twin lacks. The operator class and the order of a column are left out where they are the defaults. */
static const char definition_sql[] =
	"SELECT t.relname, CASE WHEN i.indexrelid IS NULL THEN NULL ELSE\n"
	"	CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || am.amname || ' (' || (\n"
	"		SELECT string_agg(pg_catalog.pg_get_indexdef(i.indexrelid, k, true)\n"
	"			|| CASE WHEN k > i.indnkeyatts THEN ' INCLUDED' ELSE\n"
	"			CASE WHEN opc.opcdefault THEN '' ELSE ' ' || opc.opcname END\n"
	"			|| CASE i.indoption[k - 1] WHEN 1 THEN ' DESC NULLS LAST'\n"
	"				WHEN 2 THEN ' NULLS FIRST' WHEN 3 THEN ' DESC' ELSE '' END END,\n"
	"			', ' ORDER BY k)\n"
	"		FROM generate_series(1, i.indnatts) AS k\n"
	"		LEFT JOIN pg_catalog.pg_opclass AS opc ON opc.oid = i.indclass[k - 1]) || ')'\n"
	"	|| coalesce(' WHERE ' || pg_catalog.pg_get_expr(i.indpred, i.indrelid, true), '') END\n"
	"FROM pg_catalog.pg_class AS c\n"
	"JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace\n"
	"LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid\n"
	"LEFT JOIN pg_catalog.pg_am AS am ON am.oid = c.relam\n"
	"LEFT JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid\n"
	"WHERE c.relname = $2 AND n.oid = CASE WHEN $1 = 'pg_temp' THEN pg_catalog.pg_my_temp_schema()\n"
	"	ELSE (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1) END";

/* A comparison; it owns the texts. */
struct comparing {
	PGconn *conn;
	const char *schema;
	const struct ddl_object *index;
	char error[256];
	bool refused; /* the server cannot make the index that the configuration asks for */
};

static bool ddl_compare_run(struct comparing *comparing, const char *sql)
{
	PGresult *result = PQexec(comparing->conn, sql);
	bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (!done)
		snprintf(comparing->error, sizeof(comparing->error), "%s",
			message ? message : PQerrorMessage(comparing->conn));
	/* Class 42 is a mistake in the statement, except for a missing right. */
	comparing->refused = !done && state && strncmp(state, "42", 2) == 0 &&
		strcmp(state, "42501") != 0;
	PQclear(result);
	return done;
}

/* NULL: it failed. */
static PGresult *ddl_compare_define(struct comparing *comparing, const char *schema,
	const char *name)
{
	const char *const params[] = { schema, name };
	PGresult *result = PQexecParams(comparing->conn, definition_sql, 2, NULL, params, NULL,
		NULL, 0);

	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		return result;
	snprintf(comparing->error, sizeof(comparing->error), "%s", PQerrorMessage(comparing->conn));
	PQclear(result);
	return NULL;
}

static bool ddl_compare_make_twin(struct comparing *comparing)
{
	const char *table = comparing->index->source.table;
	struct buffer sql = { 0 };
	char *create = ddl_statement_in("pg_temp", TWIN, comparing->index, 0, false);

	text_add(&sql, "BEGIN; SET LOCAL lock_timeout = 1000; CREATE TEMP TABLE ");
	text_add_ident(&sql, table);
	text_add(&sql, " (LIKE ");
	text_add_ident(&sql, comparing->schema);
	text_add(&sql, ".");
	text_add_ident(&sql, table);
	text_addf(&sql, ") ON COMMIT DROP; %s", create);
	bool made = ddl_compare_run(comparing, text_string(&sql));
	free(create);
	buffer_free(&sql);
	return made;
}

/* The definition that the configuration asks for, which the caller frees; NULL: the server refuses it. */
static char *ddl_compare_wanted(struct comparing *comparing)
{
	char *wanted = NULL;
	PGresult *twin = ddl_compare_make_twin(comparing)
		? ddl_compare_define(comparing, "pg_temp", TWIN)
		: NULL;

	if (twin && PQntuples(twin) == 1)
		wanted = strdup(PQgetvalue(twin, 0, 1));
	PQclear(twin);
	PQclear(PQexec(comparing->conn, "ROLLBACK"));
	return wanted;
}

static enum ddl_likeness ddl_compare_existing(struct comparing *comparing, const PGresult *existing,
	struct buffer *why)
{
	const char *name = comparing->index->name.text, *table = comparing->index->source.table;
	const char *owner = PQgetvalue(existing, 0, 0), *has = PQgetvalue(existing, 0, 1);

	if (PQgetisnull(existing, 0, 1)) {
		text_addf(why, "index %s: something else in schema \"%s\" has this name", name,
			comparing->schema);
		return DDL_DIFFERS;
	}
	char *wanted = ddl_compare_wanted(comparing);
	enum ddl_likeness likeness = DDL_DIFFERS;
	if (!wanted)
		likeness = comparing->refused ? DDL_DIFFERS : DDL_UNKNOWN;
	else if (strcmp(owner, table) == 0 && strcmp(has, wanted) == 0)
		likeness = DDL_SAME;
	if (!wanted)
		text_addf(why,
			"index %s exists (%s ON %s) and cannot be compared with postgres.indexes: %s",
			name, has, owner, comparing->error);
	else if (likeness == DDL_DIFFERS)
		text_addf(why,
			"index %s exists with another definition: it is %s ON %s, postgres.indexes asks "
			"for %s ON %s: drop the index or give the new one another name",
			name, has, owner, wanted, table);
	free(wanted);
	return likeness;
}

enum ddl_likeness ddl_compare_index(PGconn *conn, const char *schema,
	const struct ddl_object *index, char **text)
{
	struct comparing comparing = { .conn = conn, .schema = schema, .index = index };
	PGresult *existing = ddl_compare_define(&comparing, schema, index->name.text);
	enum ddl_likeness likeness = DDL_SAME;
	struct buffer why = { 0 };

	if (!existing) {
		text_addf(&why, "index %s: the catalog cannot be read: %s", index->name.text,
			comparing.error);
		likeness = DDL_UNKNOWN;
	} else if (PQntuples(existing) == 1) {
		likeness = ddl_compare_existing(&comparing, existing, &why);
	}
	PQclear(existing);
	*text = likeness == DDL_SAME ? NULL : text_take(&why);
	return likeness;
}
