/* schema_rows.c - compares schemas of the catalog with the declared tables */
#include "db/state/schema_rows.h"

#include <stdio.h>
#include <string.h>

#include "db/ddl/ddl_source.h"

/* A few milliseconds each: no statement takes longer than a command may. */
#define LOOKS_MAX ((size_t)64)

/* OFFSET 0 makes PostgreSQL look each table and its columns up by the catalog's indexes. A join might read the
 * catalog of all schemas for each one. */
static const char sql_look[] =
	"SELECT s.place, n.oid IS NULL,"
	" NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE'), lack.name "
	"FROM unnest($1::text[]) WITH ORDINALITY AS s (name, place) "
	"LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = s.name::name "
	"LEFT JOIN LATERAL (SELECT min(w.name) AS name FROM ("
	"SELECT t || '.' || c AS name FROM unnest($2::text[], $3::text[]) AS given (t, c) "
	"EXCEPT SELECT one.name || '.' || a.attname FROM unnest($4::text[]) AS one (name) "
	"CROSS JOIN LATERAL (SELECT oid FROM pg_catalog.pg_class AS c "
	"WHERE c.relname = one.name::name AND c.relnamespace = n.oid OFFSET 0) AS r "
	"CROSS JOIN LATERAL (SELECT attname FROM pg_catalog.pg_attribute AS c "
	"WHERE c.attrelid = r.oid AND c.attnum > 0 AND NOT c.attisdropped OFFSET 0) AS a"
	") AS w) AS lack ON n.oid IS NOT NULL";

struct looking {
	struct schema_look *looks;
	size_t count;
};

static void schema_rows_read(void *arg, const struct rows *rows)
{
	const struct looking *looking = arg;
	for (int row = 0; row < rows_count(rows); row++) {
		size_t place = (size_t)rows_integer(rows, row, 0) - 1, size = 0;
		if (place >= looking->count)
			continue;
		struct schema_look *look = &looking->looks[place];
		bool lacks = !rows_null(rows, row, 3);
		const char *name = lacks ? rows_text(rows, row, 3, &size) : "";
		snprintf(look->lacks, sizeof(look->lacks), "%.*s", (int)size, name);
		look->state = lacks ? SCHEMA_LACKS : SCHEMA_COMPLETE;
		if (rows_bool(rows, row, 1))
			look->state = SCHEMA_ABSENT;
		else if (rows_bool(rows, row, 2))
			look->state = SCHEMA_CLOSED;
	}
}

static void schema_rows_add_table(struct params *params, const int arrays[3],
	const struct ddl_source *table)
{
	array_text(params, arrays[2], table->name, strlen(table->name));
	for (const struct ddl_column *column = table->columns; column->name; column++) {
		array_text(params, arrays[0], table->name, strlen(table->name));
		array_text(params, arrays[1], column->name, strlen(column->name));
	}
}

static void schema_rows_bind(struct params *params, const struct schema_look *looks, size_t count)
{
	params_reset(params);
	int names = params_array(params, ELEMENT_TEXT);
	for (size_t i = 0; i < count; i++)
		array_text(params, names, looks[i].schema, strlen(looks[i].schema));
	const int arrays[3] = { params_array(params, ELEMENT_TEXT),
		params_array(params, ELEMENT_TEXT), params_array(params, ELEMENT_TEXT) };
	for (size_t i = 0; i < ddl_source_count; i++)
		if (ddl_sources[i].kind == DDL_TABLE && !ddl_sources[i].own)
			schema_rows_add_table(params, arrays, &ddl_sources[i]);
}

enum db_kind schema_rows_look(struct connection *connection, struct params *params,
	struct schema_look *looks, size_t count, struct db_failure *failure)
{
	for (size_t from = 0; from < count; from += LOOKS_MAX) {
		size_t left = count - from;
		struct looking looking = { looks + from, left < LOOKS_MAX ? left : LOOKS_MAX };
		schema_rows_bind(params, looking.looks, looking.count);
		connection_send(connection, sql_look, NULL, params, schema_rows_read, &looking,
			NULL);
		params_reset(params);
		enum db_kind kind = connection_sync(connection, failure);
		if (kind != DB_OK)
			return kind;
	}
	return DB_OK;
}
