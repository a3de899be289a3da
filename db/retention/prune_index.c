/* prune_index.c - the index on the anchor of a table, under the reference's name */
#include <stdio.h>
#include <string.h>

#include "db/connection/params.h"
#include "db/connection/rows.h"
#include "db/migrate/ddl_name.h"
#include "db/retention/prune.h"
#include "schemas/base/text.h"

/* What is known of the index. */
struct anchor_index {
	const char *schema;
	struct ddl_name name;
	bool exists, valid;
	bool under_way; /* some session builds it */
};

static const char sql_look[] =
	"SELECT i.indisvalid, EXISTS (SELECT FROM pg_stat_progress_create_index AS p"
	" WHERE p.index_relid = i.indexrelid)"
	" FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
	" JOIN pg_index AS i ON i.indexrelid = c.oid"
	" WHERE n.nspname = $1::text AND c.relname = $2::text";

static void anchor_bind(struct params *params, const void *arg, int64_t rows)
{
	const struct anchor_index *index = arg;
	(void)rows;
	params_text(params, index->schema, strlen(index->schema));
	params_text(params, index->name.text, strlen(index->name.text));
}

static void anchor_read(void *arg, const struct rows *rows)
{
	struct anchor_index *index = arg;
	index->exists = rows_count(rows) > 0;
	index->valid = index->exists && rows_bool(rows, 0, 0);
	index->under_way = index->exists && rows_bool(rows, 0, 1);
}

/* The reference's name. */
static void anchor_name(struct anchor_index *index, const struct retention_table *table)
{
	bool plain = strcmp(index->schema, "public") == 0;
	char base[2 * DDL_NAME_MAX];
	snprintf(base, sizeof(base), "mastra_%s_retention_idx", table->key);
	(void)!ddl_name_make(plain ? DDL_LOWERED : DDL_CONSTRAINED, index->schema, base,
		&index->name);
}

static bool anchor_tick(void *arg)
{
	return prune_may(arg, 0);
}

static enum db_kind anchor_run(struct prune *prune, struct build_session *session,
	struct buffer *sql, struct db_failure *failure)
{
	struct build_session_watch watch = { prune->wake_fd, anchor_tick, prune };
	enum db_kind kind = build_session_run(session, text_string(sql), &watch, NULL, failure);
	buffer_clear(sql);
	return kind;
}

/* An index that is not valid costs writes and helps nobody. */
static enum db_kind anchor_drop(struct prune *prune, struct build_session *session,
	const struct anchor_index *index, struct buffer *sql, struct db_failure *failure)
{
	text_add(sql, "DROP INDEX CONCURRENTLY IF EXISTS ");
	text_add_ident(sql, index->schema);
	text_add(sql, ".");
	text_add_ident(sql, index->name.text);
	return anchor_run(prune, session, sql, failure);
}

static enum db_kind anchor_create(struct prune *prune, struct build_session *session,
	const struct anchor_index *index, const struct retention_table *table,
	struct db_failure *failure)
{
	struct buffer sql = { 0 };
	struct db_failure ignored;
	enum db_kind kind = DB_OK;
	if (index->exists)
		kind = anchor_drop(prune, session, index, &sql, failure);
	if (kind == DB_OK) {
		text_add(&sql, "CREATE INDEX CONCURRENTLY IF NOT EXISTS ");
		text_add_ident(&sql, index->name.text);
		text_add(&sql, " ON ");
		text_add_ident(&sql, index->schema);
		text_addf(&sql, ".%s (\"%s\")", table->table, table->anchor);
		kind = anchor_run(prune, session, &sql, failure);
		if (kind != DB_OK && kind != DB_LOST)
			(void)!anchor_drop(prune, session, index, &sql, &ignored);
	}
	buffer_free(&sql);
	return kind;
}

static enum db_kind anchor_build(struct prune *prune, const struct anchor_index *index,
	const struct retention_table *table, struct db_failure *failure)
{
	struct build_session *session = build_session_open(prune->options, failure);
	enum db_kind kind = session ? anchor_create(prune, session, index, table, failure)
				    : failure->kind;
	build_session_close(session);
	return kind;
}

enum db_kind prune_index(struct prune *prune, const struct retention_table *table,
	struct db_failure *failure)
{
	struct anchor_index index = { .schema = prune->schema };
	struct prune_statement statement = { sql_look, anchor_bind, &index, anchor_read, &index };
	int64_t rows = 1;
	if (prune->no_indexes)
		return DB_OK;
	anchor_name(&index, table);
	enum db_kind kind = prune_send(prune, &statement, &rows, failure);
	if (kind != DB_OK || index.valid || index.under_way)
		return kind;
	kind = anchor_build(prune, &index, table, failure);
	if (kind != DB_OK && !prune_can_pass(kind))
		prune->warn(prune->arg,
			prune->stopped ? "the index that finds old rows was not finished in time"
				       : "the index that finds old rows can't be created",
			table->table, failure);
	return prune_can_pass(kind) ? kind : DB_OK;
}
