/* query_sql.c - composes the statements of a search and binds their parameters */
#include "handlers/domains/vectors/query_sql.h"

#include "handlers/core/binding.h"
#include "handlers/domains/vectors/embedding.h"
#include "handlers/domains/vectors/filter.h"

/* Up to this many rows, plus topK, are compared one by one: that costs about as much as an index
 * scan. */
#define FEW_ROWS 500

/* The casts keep the types of a prepared search fixed, even if its columns are dropped and created
 * again with other types after the catalog was read. PostgreSQL would refuse the changed result. */
#define ID_SQL "vector_id::text"
#define METADATA_SQL "metadata::jsonb"

/* The metric that the column type's operators support. An index with another metric is not on
 * this column. */
static enum vectors_metric query_sql_metric(const struct vectors_index *index)
{
	if (index->type == VECTORS_BIT)
		return index->metric == VECTORS_JACCARD ? VECTORS_JACCARD : VECTORS_HAMMING;
	return index->metric;
}

static const char *query_sql_distance(struct context *ctx, const struct vectors_index *index)
{
	static const char *const operators[] = {
		[VECTORS_COSINE] = "<=>",
		[VECTORS_EUCLIDEAN] = "<->",
		[VECTORS_DOTPRODUCT] = "<#>",
		[VECTORS_HAMMING] = "<~>",
		[VECTORS_JACCARD] = "<%>",
	};

	return arena_printf(ctx->arena, "embedding OPERATOR(%s.%s) $1::%s", index->extension,
		operators[query_sql_metric(index)], vectors_type_sql(ctx->arena, index));
}

static const char *query_sql_score(enum vectors_metric metric)
{
	static const char *const scores[] = {
		[VECTORS_COSINE] = "1 - distance",
		[VECTORS_EUCLIDEAN] = "1.0 / (1.0 + distance)",
		[VECTORS_DOTPRODUCT] = "distance * -1",
		[VECTORS_HAMMING] = "1 - distance / bit_length(embedding)",
		[VECTORS_JACCARD] = "1 - distance",
	};

	return scores[metric];
}

/* Turns an embedding into the bytes of its binary format; NULL if the command does not ask for
 * vectors. */
static const char *query_sql_vector(struct context *ctx, const struct vectors_query *query)
{
	const struct vectors_index *index = query->index;

	if (!query->include_vector)
		return "NULL";
	if (index->type == VECTORS_BIT)
		return "pg_catalog.bit_send(embedding)";
	return arena_printf(ctx->arena, "%s.%s_send(embedding)", index->extension,
		vectors_type_names[index->type]);
}

/* Binds the values of the condition that selects the rows, and returns the condition. NULL: the
 * call has failed. In a table without namespaces, all rows belong to the default namespace. */
static const char *query_sql_bind_where(struct context *ctx, const struct vectors_query *query)
{
	const struct datum *filter = query->filter;
	const char *condition, *where = "TRUE";
	struct datum all = datum_string(VECTORS_NAMESPACE_DEFAULT);

	if (query->index->has_namespace) {
		bind_text(ctx->params, &query->namespace);
		where = arena_printf(ctx->arena, "namespace = $%d::text",
			params_count(ctx->params));
	} else if (!datum_equals(&query->namespace, &all)) {
		where = "FALSE";
	}
	if (!vectors_filter_given(filter))
		return where;
	if (!vectors_filter(ctx, query->call, filter->text, filter->size, "filter", &condition)) {
		params_reset(ctx->params);
		return NULL;
	}
	return arena_printf(ctx->arena, "%s AND %s", where, condition);
}

/* Binds $1, the vector, and $2, topK, and then the condition, which it returns. */
static const char *query_sql_bind_nearest(struct context *ctx, const struct vectors_query *query)
{
	vectors_embedding_bind(ctx->params, query->index->type, &query->vector);
	params_int8(ctx->params, query->top_k);
	return query_sql_bind_where(ctx, query);
}

/* OFFSET 0 is a fence: it keeps the planner from using an index for the order. Rows below minScore do not
 * leave the server; a NaN is larger than every number there, too. */
const char *query_sql_exact(struct context *ctx, const struct vectors_query *query)
{
	const struct vectors_index *index = query->index;
	const char *where = query_sql_bind_nearest(ctx, query);

	if (!where)
		return NULL;
	params_float8(ctx->params, query->min_score);
	return arena_printf(ctx->arena,
		"SELECT * FROM (SELECT " ID_SQL " AS id, %s AS score, " METADATA_SQL
		" AS metadata, "
		"%s AS vector FROM ("
		"SELECT vector_id, %s AS distance, "
		"metadata, embedding FROM %s WHERE %s OFFSET 0) AS nearest "
		"ORDER BY distance, vector_id LIMIT $2::int8) AS found WHERE score > $%d::float8",
		query_sql_score(query_sql_metric(index)), query_sql_vector(ctx, query),
		query_sql_distance(ctx, index), vectors_table(ctx->arena, index), where,
		params_count(ctx->params));
}

/* The common table expressions for the few matching rows: `counted` tells whether there are few,
 * and *few is the source to read them from. With a filter the rows are kept, because evaluating
 * a filter twice costs more. Without one, counting first and reading later costs less than
 * keeping the rows. */
static const char *query_sql_few(struct context *ctx, const struct vectors_query *query,
	const char *table, const char *where, int limit, const char **few)
{
	if (vectors_filter_given(query->filter)) {
		*few = "few";
		return arena_printf(ctx->arena,
			"few AS MATERIALIZED (SELECT vector_id, metadata, embedding FROM %s WHERE %s "
			"LIMIT $%d::int8 + 1), counted AS MATERIALIZED ("
			"SELECT count(*) <= $%d::int8 AS is_all FROM few)",
			table, where, limit, limit);
	}
	*few = arena_printf(ctx->arena,
		"(SELECT vector_id, metadata, embedding FROM %s WHERE %s OFFSET 0) AS few", table,
		where);
	return arena_printf(ctx->arena,
		"counted AS MATERIALIZED (SELECT count(*) <= $%d::int8 AS is_all "
		"FROM (SELECT FROM %s WHERE %s LIMIT $%d::int8 + 1) AS counting)",
		limit, table, where, limit);
}

const char *query_sql_index(struct context *ctx, const struct vectors_query *query)
{
	const struct vectors_index *index = query->index;
	const char *where = query_sql_bind_nearest(ctx, query);
	const char *table = vectors_table(ctx->arena, index);
	const char *distance = query_sql_distance(ctx, index);
	const char *few;

	if (!where)
		return NULL;
	params_int8(ctx->params, FEW_ROWS + query->top_k);
	const char *with = query_sql_few(ctx, query, table, where, params_count(ctx->params), &few);
	return arena_printf(ctx->arena,
		"WITH %s SELECT " ID_SQL ", %s, " METADATA_SQL ", %s, "
		"(SELECT is_all FROM counted) FROM ("
		"SELECT vector_id, %s AS distance, metadata, embedding FROM %s "
		"WHERE (SELECT is_all FROM counted) "
		"UNION ALL (SELECT vector_id, %s, metadata, embedding FROM %s "
		"WHERE %s AND NOT (SELECT is_all FROM counted) ORDER BY %s LIMIT $2::int8) "
		"UNION ALL SELECT NULL, NULL, NULL, NULL WHERE (SELECT is_all FROM counted)"
		") AS nearest ORDER BY distance, vector_id NULLS LAST LIMIT $2::int8",
		with, query_sql_score(query_sql_metric(index)), query_sql_vector(ctx, query),
		distance, few, distance, table, where, distance);
}

const char *query_sql_crowd(struct context *ctx, const struct vectors_query *query)
{
	const struct vectors_index *index = query->index;
	const char *where = query_sql_bind_nearest(ctx, query);
	const char *distance = query_sql_distance(ctx, index);

	return arena_printf(ctx->arena,
		"SELECT " ID_SQL ", %s, " METADATA_SQL ", %s FROM ("
		"SELECT vector_id, %s AS distance, "
		"metadata, embedding FROM %s WHERE %s ORDER BY %s LIMIT $2::int8) AS nearest "
		"ORDER BY distance, vector_id",
		query_sql_score(query_sql_metric(index)), query_sql_vector(ctx, query), distance,
		vectors_table(ctx->arena, index), where, distance);
}

const char *query_sql_filter(struct context *ctx, const struct vectors_query *query)
{
	params_int8(ctx->params, query->top_k);
	const char *where = query_sql_bind_where(ctx, query);

	if (!where)
		return NULL;
	return arena_printf(ctx->arena,
		"SELECT " ID_SQL ", 0::float8, " METADATA_SQL ", %s FROM %s WHERE %s "
		"ORDER BY vector_id LIMIT $1::int8",
		query_sql_vector(ctx, query), vectors_table(ctx->arena, query->index), where);
}
