/* table.c - finds, creates and checks the table of a vector index */
#include "handlers/domains/vectors/table.h"

#include <stdlib.h>
#include <string.h>

#include "commands.gen.h"
#include "handlers/core/choice.h"
#include "handlers/domains/vectors/index.h"
#include "schemas/base/text.h"

struct finding {
	struct call *call;
	const char *name;
	vectors_table_fn *done;
	void *arg;
};

/* "a" or "a"."b". */
static const char *vectors_table_quoted(struct context *ctx, const char *schema, const char *name)
{
	struct buffer text = { 0 };
	if (schema) {
		text_add_ident(&text, schema);
		text_add(&text, ".");
	}
	text_add_ident(&text, name);
	const char *copy = arena_copy(ctx->arena, text_string(&text), text.size);
	buffer_free(&text);
	return copy;
}

static const char *vectors_table_column_text(struct context *ctx, const struct rows *rows,
	const char *name)
{
	int column = rows_column(rows, name);
	size_t len;
	if (rows_null(rows, 0, column))
		return NULL;
	const char *text = rows_text(rows, 0, column, &len);
	return arena_copy(ctx->arena, text, len);
}

static bool vectors_table_column_bool(const struct rows *rows, const char *name)
{
	return rows_bool(rows, 0, rows_column(rows, name));
}

/* Other programs' tables may appear at any time, so nothing is created or dropped under their names. A
 * vector table that has such a name already is used like any other. */
static bool vectors_table_name_free(struct context *ctx, struct call *call,
	const struct vectors_table *table)
{
	if (table->present || !vectors_name_reserved(table->name))
		return true;
	call_fail(ctx, call, FAILURE_INVALID, "INVALID_INDEX_NAME", NULL,
		"%s: the names mastra_*, stowage_* and pg_* are reserved: choose another indexName",
		table->name);
	return false;
}

static void vectors_table_found(struct context *ctx, const struct rows *rows, void *arg)
{
	struct finding *finding = arg;
	struct vectors_table *table = arena_calloc(ctx->arena, 1, sizeof(*table));
	const char *type = vectors_table_column_text(ctx, rows, "type");
	struct datum type_text = datum_string(type);
	int known = type ? choice_find(vectors_type_names, &type_text) : -1;
	table->name = finding->name;
	table->quoted = vectors_table_quoted(ctx, ctx->schema, finding->name);
	table->home = vectors_table_column_text(ctx, rows, "home");
	table->modern = vectors_table_column_bool(rows, "modern");
	table->installable = vectors_table_column_bool(rows, "installable");
	table->present = vectors_table_column_bool(rows, "present");
	table->vectors = known >= 0 && vectors_table_column_bool(rows, "vectors");
	table->type = known >= 0 ? (enum vectors_type)known : VECTORS_VECTOR;
	table->dimension = known >= 0
		? (int32_t)rows_integer(rows, 0, rows_column(rows, "dimension"))
		: -1;
	if (vectors_table_name_free(ctx, finding->call, table))
		finding->done(ctx, finding->call, table, finding->arg);
}

static void vectors_table_bind_names(struct context *ctx, const char *name)
{
	params_text(ctx->params, ctx->schema, strlen(ctx->schema));
	params_text(ctx->params, name, strlen(name));
}

void vectors_table_find(struct context *ctx, struct call *call, const struct datum *name,
	vectors_table_fn *done, void *arg)
{
	if (!vectors_name_ok(ctx, call, name))
		return;
	struct finding *finding = arena_alloc(ctx->arena, sizeof(*finding));
	*finding = (struct finding){ call, arena_copy(ctx->arena, name->text, name->size), done,
		arg };
	vectors_table_bind_names(ctx, finding->name);
	context_send(ctx, SQL_VECTORS_CREATE_INDEX__LOCK, NULL, NULL);
	vectors_table_bind_names(ctx, finding->name);
	context_send(ctx, SQL_VECTORS_CREATE_INDEX__FIND, vectors_table_found, finding);
}

/* ---------------------------------------------------------------- creating */

/* The extension goes into the worker's own schema, also for a tenant: whoever drops a tenant's schema must
 * not drop the type of all vectors with it. */
void vectors_table_install(struct context *ctx)
{
	context_send_sql(ctx,
		"SELECT pg_advisory_xact_lock(hashtextextended('stowage vectors', 0))", NULL, NULL);
	context_send_sql(ctx,
		arena_printf(ctx->arena, "CREATE EXTENSION IF NOT EXISTS vector SCHEMA %s",
			vectors_table_quoted(ctx, NULL, context_own_schema(ctx))),
		NULL, NULL);
}

static void vectors_table_send_create(struct context *ctx, const struct vectors_table *table,
	enum vectors_type type, int32_t dimension)
{
	/* bit is a type of PostgreSQL, the others are types of the extension. */
	const char *name = type == VECTORS_BIT
		? "bit"
		: vectors_table_quoted(ctx, table->home, vectors_type_names[type]);
	context_send_sql(ctx,
		arena_printf(ctx->arena,
			"CREATE TABLE %s (id serial PRIMARY KEY, vector_id text NOT NULL, embedding %s(%d), "
			"metadata jsonb DEFAULT '{}'::jsonb, "
			"namespace varchar(255) NOT NULL DEFAULT '" VECTORS_NAMESPACE_DEFAULT "')",
			table->quoted, name, (int)dimension),
		NULL, NULL);
}

struct creating {
	vectors_created_fn *done;
	void *arg;
};

/* Adds the unique index to a new table, and what an old table lacks. */
static void vectors_table_described(struct context *ctx, const struct vectors_index *indexes,
	uint32_t count, void *arg)
{
	struct creating *creating = arg;
	for (uint32_t i = 0; i < count; i++)
		if (indexes[i].exists)
			vectors_index_migrate(ctx, &indexes[i]);
	creating->done(ctx, creating->arg);
}

void vectors_table_create(struct context *ctx, const struct vectors_table *table,
	enum vectors_type type, int32_t dimension, vectors_created_fn *done, void *arg)
{
	struct creating *creating = arena_alloc(ctx->arena, sizeof(*creating));
	struct datum *name = arena_alloc(ctx->arena, sizeof(*name));
	*creating = (struct creating){ done, arg };
	*name = datum_string(table->name);
	if (!table->present)
		vectors_table_send_create(ctx, table, type, dimension);
	vectors_describe(ctx, name, 1, vectors_table_described, creating);
}

bool vectors_table_ok(struct context *ctx, struct call *call, const struct vectors_table *table)
{
	if (table->vectors)
		return true;
	if (table->present)
		call_fail(ctx, call, FAILURE_CONFLICT, "NOT_A_VECTOR_INDEX", NULL,
			"%s exists but is not a vector index: choose another indexName",
			table->name);
	else
		call_fail(ctx, call, FAILURE_NOT_FOUND, "INDEX_NOT_FOUND", NULL,
			"There is no vector index %s", table->name);
	return false;
}
