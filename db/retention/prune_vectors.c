/* prune_vectors.c - deletes vectors whose message is gone
 *
 * A vector names its message in its metadata, which no index covers. So a sweep walks through the table, a
 * range of pages at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "db/connection/params.h"
#include "db/connection/rows.h"
#include "db/migrate/ddl_name.h"
#include "db/retention/prune.h"
#include "schemas/base/alloc.h"
#include "schemas/base/text.h"

/* 4 MB: some thousand vectors, of which one statement looks up the messages. */
#define RANGE_PAGES 512
/* More tables than a schema has for its messages' vectors. */
#define TABLES_MAX 64

struct vector_table {
	struct ddl_name name;
	int64_t pages;
};

struct vector_tables {
	struct vector_table items[TABLES_MAX];
	size_t count;
};

/* A range of pages, from this one on. */
struct vector_range {
	int64_t page;
	int64_t deleted;
};

static const char sql_tables[] =
	"SELECT c.relname, pg_relation_size(c.oid) / current_setting('block_size')::int8"
	" FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
	" WHERE n.nspname = $1::text AND c.relkind = 'r'"
	" AND (c.relname = 'memory_messages' OR c.relname LIKE 'memory_messages_%') ORDER BY 1";

static void vectors_bind_tables(struct params *params, const void *arg, int64_t rows)
{
	(void)rows;
	params_text(params, arg, strlen(arg));
}

static void vectors_read_tables(void *arg, const struct rows *rows)
{
	struct vector_tables *tables = arg;
	tables->count = 0;
	for (int i = 0; i < rows_count(rows) && tables->count < TABLES_MAX; i++) {
		struct vector_table *table = &tables->items[tables->count];
		size_t size;
		const char *name = rows_text(rows, i, 0, &size);
		memcpy(table->name.text, name, size);
		table->name.text[size] = '\0';
		table->pages = rows_integer(rows, i, 1);
		/* Others are no tables of vectors. */
		tables->count += ddl_identifier_valid(table->name.text);
	}
}

static void vectors_bind_range(struct params *params, const void *arg, int64_t rows)
{
	const struct vector_range *range = arg;
	params_int8(params, range->page);
	params_int8(params, range->page + RANGE_PAGES);
	params_int8(params, rows);
}

static void vectors_count(void *arg, const struct rows *rows)
{
	struct vector_range *range = arg;
	range->deleted = rows_affected(rows);
}

static void vectors_compose(struct buffer *sql, const char *table)
{
	text_addf(sql,
		"DELETE FROM :\"schema\".\"%s\" AS v WHERE v.ctid = ANY (ARRAY("
		"SELECT o.ctid FROM :\"schema\".\"%s\" AS o"
		" WHERE o.ctid >= ('(' || $1::int8 || ',0)')::tid AND o.ctid < ('(' || $2::int8 || ',0)')::tid"
		" AND o.metadata->>'message_id' IS NOT NULL AND NOT EXISTS (SELECT FROM"
		" :\"schema\".mastra_messages AS m WHERE m.id = o.metadata->>'message_id')"
		" LIMIT $3::int8 FOR UPDATE SKIP LOCKED))",
		table, table);
}

/* Sweeps one table. A range that takes too long is swept in several pieces. */
static enum db_kind vectors_sweep(struct prune *prune, const struct vector_table *table,
	const char *sql, int64_t most, struct db_failure *failure)
{
	struct vector_range range = { 0 };
	struct prune_statement statement = { sql, vectors_bind_range, &range, vectors_count,
		&range };
	while (range.page < table->pages && most > 0) {
		int64_t rows = most < PRUNE_BATCH_ROWS ? most : PRUNE_BATCH_ROWS;
		if (!prune_may(prune, range.page ? prune->bounds.pause_ms : 0))
			return DB_OK;
		enum db_kind kind = prune_send(prune, &statement, &rows, failure);
		if (kind != DB_OK)
			return kind;
		most -= range.deleted;
		if (range.deleted < rows)
			range.page += RANGE_PAGES;
	}
	return DB_OK;
}

static enum db_kind vectors_sweep_all(struct prune *prune, const struct vector_tables *tables,
	int64_t most, struct db_failure *failure)
{
	for (size_t i = 0; i < tables->count && !prune->stopped; i++) {
		const char *name = tables->items[i].name.text;
		struct buffer sql = { 0 };
		vectors_compose(&sql, name);
		enum db_kind kind = vectors_sweep(prune, &tables->items[i], text_string(&sql), most,
			failure);
		buffer_free(&sql);
		if (prune_can_pass(kind))
			return kind;
		if (kind != DB_OK && !prune->stopped)
			prune->warn(prune->arg, "vectors of deleted messages can't be deleted",
				name, failure);
	}
	return DB_OK;
}

enum db_kind prune_vectors(struct prune *prune, int64_t most, struct db_failure *failure)
{
	struct vector_tables *tables = alloc_zero(1, sizeof(*tables));
	struct prune_statement statement = { sql_tables, vectors_bind_tables, prune->schema,
		vectors_read_tables, tables };
	int64_t rows = 1;
	enum db_kind kind = prune_send(prune, &statement, &rows, failure);
	if (kind == DB_OK)
		kind = vectors_sweep_all(prune, tables, most, failure);
	free(tables);
	return kind;
}
