/* read.c - vectors.listIndexes and describeIndex: the names of indexes, and what one is like */
#include <string.h>

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/reply.h"
#include "handlers/domains/vectors/index.h"

/* ---------------------------------------------------------------- listIndexes */

static void vectors_read_listed(struct context *ctx, const struct rows *rows, void *arg)
{
	int count = rows_count(rows);
	struct datum *names = arena_alloc(ctx->arena, ((size_t)count + 1) * sizeof(*names));

	for (int row = 0; row < count; row++) {
		size_t len = 0;
		const char *text = rows_text(rows, row, 0, &len);
		names[row] = datum_text(text, (uint32_t)len);
	}
	call_reply(ctx, arg, datum_array(names, (uint32_t)count));
}

void vectors_list_indexes(struct context *ctx)
{
	params_text(ctx->params, ctx->schema, strlen(ctx->schema));
	context_send(ctx, SQL_VECTORS_LIST_INDEXES, vectors_read_listed, ctx->calls[0]);
}

/* ---------------------------------------------------------------- describeIndex */

struct description {
	struct call *call;
	const struct vectors_index *index;
};

static struct datum vectors_read_number_or_null(int value)
{
	return value ? datum_integer(value) : datum_null();
}

static void vectors_read_counted(struct context *ctx, const struct rows *rows, void *arg)
{
	const struct description *description = arg;
	const struct vectors_index *index = description->index;
	struct datum config[VECTORS_PG_INDEX_STATS_CONFIG_SIZE] = {
		[VECTORS_PG_INDEX_STATS_CONFIG__M] = vectors_read_number_or_null(index->m),
		[VECTORS_PG_INDEX_STATS_CONFIG__EF_CONSTRUCTION] =
			vectors_read_number_or_null(index->ef_construction),
		[VECTORS_PG_INDEX_STATS_CONFIG__LISTS] = vectors_read_number_or_null(index->lists),
	};
	struct datum stats[VECTORS_PG_INDEX_STATS_SIZE] = {
		[VECTORS_PG_INDEX_STATS__DIMENSION] = datum_integer(index->dimension),
		[VECTORS_PG_INDEX_STATS__COUNT] = datum_integer(rows_integer(rows, 0, 0)),
		[VECTORS_PG_INDEX_STATS__METRIC] =
			datum_string(vectors_metric_names[index->metric]),
		[VECTORS_PG_INDEX_STATS__TYPE] = datum_string(index->method_name),
		[VECTORS_PG_INDEX_STATS__VECTOR_TYPE] =
			datum_string(vectors_type_names[index->type]),
		[VECTORS_PG_INDEX_STATS__CONFIG] = datum_record(config,
			VECTORS_PG_INDEX_STATS_CONFIG_SIZE),
	};

	call_reply(ctx, description->call, datum_record(stats, VECTORS_PG_INDEX_STATS_SIZE));
}

static void vectors_read_described(struct context *ctx, const struct vectors_index *indexes,
	uint32_t count, void *arg)
{
	struct description *description = arg;

	(void)count;
	description->index = indexes;
	if (!vectors_index_ok(ctx, description->call, indexes))
		return;
	context_send_sql(ctx,
		arena_printf(ctx->arena, "SELECT count(*) FROM %s",
			vectors_table(ctx->arena, indexes)),
		vectors_read_counted, description);
}

void vectors_describe_index(struct context *ctx)
{
	struct description *description = arena_calloc(ctx->arena, 1, sizeof(*description));
	struct call *call = ctx->calls[0];
	const struct datum *name = datum_field(call->request, VECTORS_DESCRIBE_INDEX__INDEX_NAME);

	description->call = call;
	if (vectors_name_ok(ctx, call, name))
		vectors_describe(ctx, name, 1, vectors_read_described, description);
}
