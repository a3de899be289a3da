/*
 * query.c - vectors.query: finds the nearest vectors, or those that match a filter
 *
 * With a vector index, one statement holds two searches. The rows that match the filter and the
 * namespace may be few: comparing them one by one is then exact and cheap. Otherwise the index is
 * asked. Index scans are bounded and may find fewer rows than exist; then the exact search follows.
 * A namespace that recently held many rows is not counted again for a search without a filter. The
 * index alone is asked, with a generic plan and a scan that does not continue. If that scan finds
 * too little, the statement with both searches follows.
 *
 * The executor's hint replaces the statement on the catalog. The search is sent together with a
 * stamp of the catalog. If the stamp shows that the hint is stale, the result is dropped, and the
 * search runs again after reading the catalog.
 */
#include "handlers/domains/vectors/query.h"

#include <math.h>
#include <string.h>

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/reply.h"
#include "handlers/domains/vectors/embedding.h"
#include "handlers/domains/vectors/hint.h"
#include "handlers/domains/vectors/query_request.h"
#include "handlers/domains/vectors/query_settings.h"
#include "handlers/domains/vectors/query_sql.h"

/* More rows than this may exceed the size of a reply, depending on their content. */
#define MANY_ROWS 100

static void query_ask(struct context *ctx, struct vectors_query *query);
static void query_ask_catalog(struct context *ctx, struct vectors_query *query);
static void query_answered(struct context *ctx, const struct rows *rows, void *arg);

/* ---------------------------------------------------------------- the reply */

static struct datum query_result(struct context *ctx, const struct vectors_query *query,
	const struct rows *rows, int row)
{
	struct datum *fields = arena_calloc(ctx->arena, VECTORS_QUERY_RESULT_SIZE, sizeof(*fields));
	size_t len = 0;
	const char *text = rows_text(rows, row, QUERY_COLUMN_ID, &len);

	fields[VECTORS_QUERY_RESULT__ID] = datum_text(text, (uint32_t)len);
	fields[VECTORS_QUERY_RESULT__SCORE] = datum_real(rows_real(rows, row, QUERY_COLUMN_SCORE));
	if (!rows_null(rows, row, QUERY_COLUMN_METADATA)) {
		text = rows_text(rows, row, QUERY_COLUMN_METADATA, &len);
		fields[VECTORS_QUERY_RESULT__METADATA] = datum_text(text, (uint32_t)len);
	}
	if (query->include_vector && !rows_null(rows, row, QUERY_COLUMN_VECTOR)) {
		const void *bytes = rows_bytes(rows, row, QUERY_COLUMN_VECTOR, &len);
		fields[VECTORS_QUERY_RESULT__VECTOR] = vectors_embedding_decode(ctx->arena,
			query->index->type, bytes, len);
	}
	return datum_record(fields, VECTORS_QUERY_RESULT_SIZE);
}

/* A score that is NaN (cosine with a vector of zeros) counts as above every minScore. */
static bool query_row_wanted(const struct vectors_query *query, const struct rows *rows, int row)
{
	if (rows_null(rows, row, QUERY_COLUMN_ID) || rows_null(rows, row, QUERY_COLUMN_SCORE))
		return false;
	double score = rows_real(rows, row, QUERY_COLUMN_SCORE);
	return datum_is_null(&query->vector) || isnan(score) || score > query->min_score;
}

static bool query_complete(const struct vectors_query *query, const struct rows *rows)
{
	int count = rows_count(rows);

	return query->exact || count >= query->top_k ||
		(count && rows_null(rows, count - 1, QUERY_COLUMN_ID));
}

/* Records that the namespace is crowded if the index answered this time. */
static void query_hint_crowd(struct context *ctx, const struct vectors_query *query,
	const struct rows *rows)
{
	if (!query->exact && !query->crowded && !vectors_filter_given(query->filter) &&
		rows_count(rows) && !rows_bool(rows, 0, QUERY_COLUMN_IS_ALL))
		vectors_hint_crowded(ctx, &query->index->name, &query->namespace);
}

static void query_send_search(struct context *ctx, struct vectors_query *query, const char *sql)
{
	if (!sql)
		return;
	/* An index scan may find rows below minScore, which query_answered drops. */
	if (query->top_k > MANY_ROWS &&
		(query->exact ||
			datum_is_null(datum_field(query->call->request, VECTORS_QUERY__MIN_SCORE))))
		context_bound(ctx, query->call);
	context_send_sql(ctx, sql, query_answered, query);
}

static void query_ask_exact(struct context *ctx, struct vectors_query *query)
{
	query->exact = true;
	query_send_search(ctx, query, query_sql_exact(ctx, query));
}

static void query_ask_filter(struct context *ctx, struct vectors_query *query)
{
	query->exact = true;
	query_send_search(ctx, query, query_sql_filter(ctx, query));
}

/* Searches again after the index found too little. */
static void query_ask_more(struct context *ctx, struct vectors_query *query)
{
	if (!query->crowded) {
		query_ask_exact(ctx, query);
		return;
	}
	vectors_hint_scattered(ctx, &query->index->name);
	query->crowded = false;
	query_ask(ctx, query);
}

static void query_answered(struct context *ctx, const struct rows *rows, void *arg)
{
	struct vectors_query *query = arg;
	int count = rows_count(rows);

	if (query->stale) {
		query_ask_catalog(ctx, query);
		return;
	}
	if (!query_complete(query, rows)) {
		query_ask_more(ctx, query);
		return;
	}
	query_hint_crowd(ctx, query, rows);
	struct datum *results = arena_alloc(ctx->arena, ((size_t)count + 1) * sizeof(*results));
	uint32_t kept = 0;
	for (int row = 0; row < count; row++)
		if (query_row_wanted(query, rows, row))
			results[kept++] = query_result(ctx, query, rows, row);
	call_reply(ctx, query->call, datum_array(results, kept));
}

/* ---------------------------------------------------------------- the search */

static void query_ask(struct context *ctx, struct vectors_query *query)
{
	/* The settings must not reach the commands after this one. */
	if (ctx->in_transaction)
		context_send_sql(ctx, "SAVEPOINT stowage_query", NULL, NULL);
	query_settings_send(ctx, query);
	if (datum_is_null(&query->vector))
		query_ask_filter(ctx, query);
	else if (query->index->method == VECTORS_FLAT)
		query_ask_exact(ctx, query);
	else if (query->crowded)
		query_send_search(ctx, query, query_sql_crowd(ctx, query));
	else
		query_send_search(ctx, query, query_sql_index(ctx, query));
	if (ctx->in_transaction)
		context_send_sql(ctx, "ROLLBACK TO SAVEPOINT stowage_query", NULL, NULL);
}

static bool query_fits(struct context *ctx, const struct vectors_query *query)
{
	return datum_is_null(&query->vector) ||
		vectors_embedding_fits(ctx, query->call, query->index, &query->vector);
}

static void query_described(struct context *ctx, const struct vectors_index *indexes,
	uint32_t count, void *arg)
{
	struct vectors_query *query = arg;

	(void)count;
	query->index = indexes;
	if (!vectors_index_ok(ctx, query->call, indexes))
		return;
	if (query->stamp)
		vectors_hint_put(ctx, indexes, query->stamp);
	if (query_fits(ctx, query))
		query_ask(ctx, query);
}

static const struct datum *query_index_name(const struct vectors_query *query)
{
	return datum_field(query->call->request, VECTORS_QUERY__INDEX_NAME);
}

static void query_stamped(struct context *ctx, const struct rows *rows, void *arg)
{
	struct vectors_query *query = arg;
	size_t len = 0;
	const char *stamp = rows_count(rows) ? rows_text(rows, 0, 0, &len) : NULL;

	if (query->used_hints)
		query->stale = !stamp || strcmp(stamp, query->stamp) != 0;
	else
		query->stamp = stamp ? arena_copy(ctx->arena, stamp, len) : NULL;
}

static void query_ask_stamp(struct context *ctx, struct vectors_query *query)
{
	bind_text(ctx->params, query_index_name(query));
	params_text(ctx->params, ctx->schema, strlen(ctx->schema));
	context_send(ctx, SQL_VECTORS_QUERY__STAMP, query_stamped, query);
}

static void query_ask_catalog(struct context *ctx, struct vectors_query *query)
{
	query->used_hints = query->stale = query->crowded = query->exact = false;
	query->stamp = NULL;
	vectors_hint_drop(ctx, query_index_name(query));
	/* The stamp is read first, so that a change after it shows when it is read again. */
	query_ask_stamp(ctx, query);
	vectors_describe(ctx, query_index_name(query), 1, query_described, query);
}

/* Searches by the hint, together with the stamp that tells whether the hint still holds. False:
 * there is no usable hint, and nothing is sent. */
static bool query_by_hint(struct context *ctx, struct vectors_query *query)
{
	struct vectors_hint *hint = arena_alloc(ctx->arena, sizeof(*hint));

	if (!vectors_hint_find(ctx, query_index_name(query), &query->namespace, hint))
		return false;
	query->index = &hint->index;
	query->stamp = hint->stamp;
	query->crowded = hint->crowded && !vectors_filter_given(query->filter) &&
		query->top_k <= query_settings_ef(query);
	query->used_hints = true;
	if (!query_fits(ctx, query))
		return false;
	query_ask_stamp(ctx, query);
	query_ask(ctx, query);
	return true;
}

void vectors_query(struct context *ctx)
{
	struct vectors_query *query = arena_calloc(ctx->arena, 1, sizeof(*query));

	query->call = ctx->calls[0];
	if (query_request_read(ctx, query) && !query_by_hint(ctx, query))
		query_ask_catalog(ctx, query);
}
