/*
 * vectors.query: the nearest vectors, or those that a filter matches
 *
 * With a vector index the question has two answers in one statement: `few` are the rows that the
 * filter and the namespace leave; if they are few enough to be compared one by one, that is exact
 * and cheap, else the index is asked. Only the index itself can tell that it found less than there
 * is (its scans are bounded): then the exact answer is asked for. Where the namespace was seen to be
 * crowded a while ago, a search without a filter does not count its rows, nor is its scan one that
 * could go on, nor planned anew: if that finds too little, both answers are asked for after all.
 *
 * What the catalog says of the index is taken from the executor's note of it, and the search is held
 * back from the reply if the note turns out to be old: then it is made again by the catalog.
 */
#include <math.h>
#include <string.h>

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/reply.h"
#include "handlers/domains/vectors/embedding.h"
#include "handlers/domains/vectors/filter.h"
#include "handlers/domains/vectors/hint.h"
#include "handlers/domains/vectors/index.h"
#include "schemas/json/json.h"

/* So many may be more than a reply can hold, by what is in them. */
#define MANY_ROWS 100
#define DEFAULT_TOP_K 10
#define DEFAULT_MIN_SCORE (-1.0)
#define DEFAULT_M 16         /* pgvector's own */
#define EF_MINIMUM 40        /* of our choosing; pgvector's own default */
#define EF_MAXIMUM 1000      /* pgvector's limit */
#define PROBES_MAXIMUM 32768 /* pgvector's limit */
#define DEFAULT_LISTS 100    /* pgvector's own */
/* Up to so many rows, and topK, are compared one by one: about what an index scan costs. */
#define FEW_ROWS 500

struct vectors_query {
	struct call *call;
	struct datum vector; /* null: by filter alone */
	const struct datum *filter;
	struct datum namespace;
	int64_t top_k;
	double min_score;
	bool include_vector;
	const struct vectors_index *index;
	const char
		*stamp; /* of the catalog, as noted or as asked for; NULL: the index is not there */
	bool used_hints; /* by a note */
	bool stale;      /* ... that was old */
	bool crowded; /* too many rows to compare one by one, as noted: the index alone is asked */
	bool exact;   /* the answer is complete, whatever it is */
};

/* With casts: columns that were made anew after the catalog was asked must not change what a
 * prepared search gives, which PostgreSQL refuses and the reader does not expect. */
#define ID_SQL "vector_id::text"
#define METADATA_SQL "metadata::jsonb"

/* The columns of every statement here. */
enum {
	COLUMN_ID, /* null in a row that only says that the answer is complete */
	COLUMN_SCORE,
	COLUMN_METADATA,
	COLUMN_VECTOR,
	COLUMN_IS_ALL, /* where both answers were asked for: it is that of the few */
};

/* ---------------------------------------------------------------- what a command gives */

static bool vectors_query_fail_input(struct context *ctx, struct call *call, const char *message)
{
	call_fail(ctx, call, FAILURE_INVALID, "INVALID_QUERY", NULL, "%s", message);
	return false;
}

static bool read_numbers(struct context *ctx, struct vectors_query *query)
{
	struct call *call = query->call;
	const struct datum *top_k = datum_field(call->request, VECTORS_QUERY__TOP_K);
	const struct datum *min_score = datum_field(call->request, VECTORS_QUERY__MIN_SCORE);
	const struct datum *probes = datum_field(call->request, VECTORS_QUERY__PROBES);

	query->top_k = datum_is_null(top_k) ? DEFAULT_TOP_K : top_k->integer;
	query->min_score = datum_is_null(min_score) ? DEFAULT_MIN_SCORE : min_score->real;
	if (query->top_k < 1)
		return vectors_query_fail_input(ctx, call, "topK must be a positive integer");
	if (isnan(query->min_score))
		return vectors_query_fail_input(ctx, call, "minScore must be a number");
	if (!datum_is_null(probes) && (probes->integer < 0 || probes->integer > PROBES_MAXIMUM))
		return vectors_query_fail_input(ctx, call, "probes must be between 1 and 32768");
	return true;
}

static bool read_query(struct context *ctx, struct vectors_query *query)
{
	struct call *call = query->call;
	const struct datum *vector = datum_field(call->request, VECTORS_QUERY__QUERY_VECTOR);
	const struct datum *include = datum_field(call->request, VECTORS_QUERY__INCLUDE_VECTOR);

	query->vector = datum_null();
	query->filter = datum_field(call->request, VECTORS_QUERY__FILTER);
	query->include_vector = !datum_is_null(include) && include->boolean;
	if (!vectors_name_ok(ctx, call, datum_field(call->request, VECTORS_QUERY__INDEX_NAME)) ||
		!vectors_namespace(ctx, call, datum_field(call->request, VECTORS_QUERY__NAMESPACE),
			&query->namespace) ||
		!read_numbers(ctx, query))
		return false;
	if (!datum_is_null(vector))
		return vectors_embedding_read(ctx, call, vector, "queryVector", &query->vector);
	return vectors_filter_given(query->filter) ||
		vectors_query_fail_input(ctx, call,
			"Either queryVector or filter must be provided");
}

/* ---------------------------------------------------------------- the answer */

static struct datum vectors_query_result_of(struct context *ctx, const struct vectors_query *query,
	const struct rows *rows, int row)
{
	struct datum *fields = arena_calloc(ctx->arena, VECTORS_QUERY_RESULT_SIZE, sizeof(*fields));
	size_t len = 0;
	const char *text = rows_text(rows, row, COLUMN_ID, &len);

	fields[VECTORS_QUERY_RESULT__ID] = datum_text(text, (uint32_t)len);
	fields[VECTORS_QUERY_RESULT__SCORE] = datum_real(rows_real(rows, row, COLUMN_SCORE));
	if (!rows_null(rows, row, COLUMN_METADATA)) {
		text = rows_text(rows, row, COLUMN_METADATA, &len);
		fields[VECTORS_QUERY_RESULT__METADATA] = datum_text(text, (uint32_t)len);
	}
	if (query->include_vector && !rows_null(rows, row, COLUMN_VECTOR)) {
		const void *bytes = rows_bytes(rows, row, COLUMN_VECTOR, &len);
		fields[VECTORS_QUERY_RESULT__VECTOR] = vectors_embedding_decode(ctx->arena,
			query->index->type, bytes, len);
	}
	return datum_record(fields, VECTORS_QUERY_RESULT_SIZE);
}

/* A score that is no number (of a vector of zeros by cosine) is not below any. */
static bool is_wanted(const struct vectors_query *query, const struct rows *rows, int row)
{
	if (rows_null(rows, row, COLUMN_ID) || rows_null(rows, row, COLUMN_SCORE))
		return false;
	double score = rows_real(rows, row, COLUMN_SCORE);
	return datum_is_null(&query->vector) || isnan(score) || score > query->min_score;
}

static bool is_complete(const struct vectors_query *query, const struct rows *rows)
{
	int count = rows_count(rows);

	return query->exact || count >= query->top_k ||
		(count && rows_null(rows, count - 1, COLUMN_ID));
}

static void ask_exact(struct context *ctx, struct vectors_query *query);
static void vectors_query_ask(struct context *ctx, struct vectors_query *query);
static void ask_catalog(struct context *ctx, struct vectors_query *query);

/* Where the index was asked this time, it may be the next time. */
static void hint_crowd(struct context *ctx, const struct vectors_query *query,
	const struct rows *rows)
{
	if (!query->exact && !query->crowded && !vectors_filter_given(query->filter) &&
		rows_count(rows) && !rows_bool(rows, 0, COLUMN_IS_ALL))
		vectors_hint_crowded(ctx, &query->index->name, &query->namespace);
}

/* The index has found too little. */
static void ask_more(struct context *ctx, struct vectors_query *query)
{
	if (!query->crowded) {
		ask_exact(ctx, query);
		return;
	}
	vectors_hint_scattered(ctx, &query->index->name);
	query->crowded = false;
	vectors_query_ask(ctx, query);
}

static void vectors_query_answered(struct context *ctx, const struct rows *rows, void *arg)
{
	struct vectors_query *query = arg;
	int count = rows_count(rows);

	if (query->stale) {
		ask_catalog(ctx, query);
		return;
	}
	if (!is_complete(query, rows)) {
		ask_more(ctx, query);
		return;
	}
	hint_crowd(ctx, query, rows);
	struct datum *results = arena_alloc(ctx->arena, ((size_t)count + 1) * sizeof(*results));
	uint32_t kept = 0;
	for (int row = 0; row < count; row++)
		if (is_wanted(query, rows, row))
			results[kept++] = vectors_query_result_of(ctx, query, rows, row);
	call_reply(ctx, query->call, datum_array(results, kept));
}

/* ---------------------------------------------------------------- the question */

/* The metric that the type's operators know: an index of another one is not for this column. */
static enum vectors_metric vectors_query_metric_of(const struct vectors_index *index)
{
	if (index->type == VECTORS_BIT)
		return index->metric == VECTORS_JACCARD ? VECTORS_JACCARD : VECTORS_HAMMING;
	return index->metric;
}

static const char *distance_sql(struct context *ctx, const struct vectors_index *index)
{
	static const char *const operators[] = {
		[VECTORS_COSINE] = "<=>",
		[VECTORS_EUCLIDEAN] = "<->",
		[VECTORS_DOTPRODUCT] = "<#>",
		[VECTORS_HAMMING] = "<~>",
		[VECTORS_JACCARD] = "<%>",
	};

	return arena_printf(ctx->arena, "embedding OPERATOR(%s.%s) $1::%s", index->extension,
		operators[vectors_query_metric_of(index)], vectors_type_sql(ctx->arena, index));
}

static const char *score_sql(enum vectors_metric metric)
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

/* What turns an embedding into the bytes of its binary format; none if it was not asked for. */
static const char *vector_sql(struct context *ctx, const struct vectors_query *query)
{
	const struct vectors_index *index = query->index;

	if (!query->include_vector)
		return "NULL";
	if (index->type == VECTORS_BIT)
		return "pg_catalog.bit_send(embedding)";
	return arena_printf(ctx->arena, "%s.%s_send(embedding)", index->extension,
		vectors_type_names[index->type]);
}

/* Appends the values of the condition that says which rows are asked for. NULL: the call has
 * failed. In a table without namespaces all rows are in the default one. */
static const char *vectors_query_bind_where(struct context *ctx, const struct vectors_query *query)
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

/* $1 is the vector, $2 how many. */
static const char *bind_nearest(struct context *ctx, const struct vectors_query *query)
{
	vectors_embedding_bind(ctx->params, query->index->type, &query->vector);
	params_int8(ctx->params, query->top_k);
	return vectors_query_bind_where(ctx, query);
}

static void send_search(struct context *ctx, struct vectors_query *query, const char *sql)
{
	/* Where scores are asked for, rows are left out here. */
	if (query->top_k > MANY_ROWS &&
		datum_is_null(datum_field(query->call->request, VECTORS_QUERY__MIN_SCORE)))
		context_bound(ctx, query->call);
	context_send_sql(ctx, sql, vectors_query_answered, query);
}

/* The fence OFFSET 0 keeps the planner from an index that it may only ask for the order. */
static void ask_exact(struct context *ctx, struct vectors_query *query)
{
	const struct vectors_index *index = query->index;
	const char *where = bind_nearest(ctx, query);

	if (!where)
		return;
	query->exact = true;
	send_search(ctx, query,
		arena_printf(ctx->arena,
			"SELECT " ID_SQL ", %s, " METADATA_SQL ", %s FROM ("
			"SELECT vector_id, %s AS distance, "
			"metadata, embedding FROM %s WHERE %s OFFSET 0) AS nearest "
			"ORDER BY distance, vector_id LIMIT $2::int8",
			score_sql(vectors_query_metric_of(index)), vector_sql(ctx, query),
			distance_sql(ctx, index), vectors_table(ctx->arena, index), where));
}

/* The rows of both answers' condition, if they are few, and whether they are: a filter is not to be
 * looked at twice, but without one a count costs less than keeping the rows. */
static const char *few_sql(struct context *ctx, const struct vectors_query *query,
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

static void ask_index(struct context *ctx, struct vectors_query *query)
{
	const struct vectors_index *index = query->index;
	const char *where = bind_nearest(ctx, query);
	const char *table = vectors_table(ctx->arena, index);
	const char *distance = distance_sql(ctx, index);
	const char *few;

	if (!where)
		return;
	params_int8(ctx->params, FEW_ROWS + query->top_k);
	const char *with = few_sql(ctx, query, table, where, params_count(ctx->params), &few);
	send_search(ctx, query,
		arena_printf(ctx->arena,
			"WITH %s SELECT " ID_SQL ", %s, " METADATA_SQL ", %s, "
			"(SELECT is_all FROM counted) FROM ("
			"SELECT vector_id, %s AS distance, metadata, embedding FROM %s "
			"WHERE (SELECT is_all FROM counted) "
			"UNION ALL (SELECT vector_id, %s, metadata, embedding FROM %s "
			"WHERE %s AND NOT (SELECT is_all FROM counted) ORDER BY %s LIMIT $2::int8) "
			"UNION ALL SELECT NULL, NULL, NULL, NULL WHERE (SELECT is_all FROM counted)"
			") AS nearest ORDER BY distance, vector_id NULLS LAST LIMIT $2::int8",
			with, score_sql(vectors_query_metric_of(index)), vector_sql(ctx, query),
			distance, few, distance, table, where, distance));
}

/* Without the few. */
static void ask_crowd(struct context *ctx, struct vectors_query *query)
{
	const struct vectors_index *index = query->index;
	const char *where = bind_nearest(ctx, query);
	const char *distance = distance_sql(ctx, index);

	send_search(ctx, query,
		arena_printf(ctx->arena,
			"SELECT " ID_SQL ", %s, " METADATA_SQL ", %s FROM ("
			"SELECT vector_id, %s AS distance, "
			"metadata, embedding FROM %s WHERE %s ORDER BY %s LIMIT $2::int8) AS nearest "
			"ORDER BY distance, vector_id",
			score_sql(vectors_query_metric_of(index)), vector_sql(ctx, query), distance,
			vectors_table(ctx->arena, index), where, distance));
}

/* By filter alone: in the order of the ids, with no score. */
static void ask_filter(struct context *ctx, struct vectors_query *query)
{
	params_int8(ctx->params, query->top_k);
	const char *where = vectors_query_bind_where(ctx, query);

	if (!where)
		return;
	query->exact = true;
	send_search(ctx, query,
		arena_printf(ctx->arena,
			"SELECT " ID_SQL ", 0::float8, " METADATA_SQL ", %s FROM %s WHERE %s "
			"ORDER BY vector_id LIMIT $1::int8",
			vector_sql(ctx, query), vectors_table(ctx->arena, query->index), where));
}

/* ---------------------------------------------------------------- settings */

static int64_t vectors_query_clamp(int64_t value, int64_t low, int64_t high)
{
	return value < low ? low : value > high ? high : value;
}

static int64_t ef_of(const struct vectors_query *query)
{
	const struct datum *given = datum_field(query->call->request, VECTORS_QUERY__EF);
	int m = query->index->m ? query->index->m : DEFAULT_M;

	if (!datum_is_null(given))
		return vectors_query_clamp(given->integer, 1, EF_MAXIMUM);
	return vectors_query_clamp(query->top_k * m, EF_MINIMUM, EF_MAXIMUM);
}

static int64_t probes_of(const struct vectors_query *query)
{
	const struct datum *given = datum_field(query->call->request, VECTORS_QUERY__PROBES);
	int lists = query->index->lists ? query->index->lists : DEFAULT_LISTS;

	if (!datum_is_null(given) && given->integer)
		return given->integer;
	return (int64_t)ceil(sqrt(lists));
}

static void send_setting(struct context *ctx, const struct vectors_query *query, int statement,
	int64_t value)
{
	const char *text = arena_printf(ctx->arena, "%lld", (long long)value);
	const char *plan = query->crowded ? "force_generic_plan" : "force_custom_plan";

	params_text(ctx->params, text, strlen(text));
	params_bool(ctx->params, query->index->iterative && !query->crowded);
	params_text(ctx->params, plan, strlen(plan));
	context_send(ctx, statement, NULL, NULL);
}

static void send_settings(struct context *ctx, const struct vectors_query *query)
{
	if (datum_is_null(&query->vector) || query->index->method == VECTORS_FLAT)
		context_send(ctx, SQL_VECTORS_QUERY__EXACT, NULL, NULL);
	else if (query->index->method == VECTORS_HNSW)
		send_setting(ctx, query, SQL_VECTORS_QUERY__HNSW, ef_of(query));
	else
		send_setting(ctx, query, SQL_VECTORS_QUERY__IVFFLAT, probes_of(query));
}

/* ---------------------------------------------------------------- a turn */

static void vectors_query_ask(struct context *ctx, struct vectors_query *query)
{
	/* The settings must be gone for the commands behind this one. */
	if (ctx->in_transaction)
		context_send_sql(ctx, "SAVEPOINT stowage_query", NULL, NULL);
	send_settings(ctx, query);
	if (datum_is_null(&query->vector))
		ask_filter(ctx, query);
	else if (query->index->method == VECTORS_FLAT)
		ask_exact(ctx, query);
	else if (query->crowded)
		ask_crowd(ctx, query);
	else
		ask_index(ctx, query);
	if (ctx->in_transaction)
		context_send_sql(ctx, "ROLLBACK TO SAVEPOINT stowage_query", NULL, NULL);
}

static bool vectors_query_fits(struct context *ctx, const struct vectors_query *query)
{
	return datum_is_null(&query->vector) ||
		vectors_embedding_fits(ctx, query->call, query->index, &query->vector);
}

static void vectors_query_described(struct context *ctx, const struct vectors_index *indexes,
	uint32_t count, void *arg)
{
	struct vectors_query *query = arg;

	(void)count;
	query->index = indexes;
	if (!vectors_index_ok(ctx, query->call, indexes))
		return;
	if (query->stamp)
		vectors_hint_put(ctx, indexes, query->stamp);
	if (vectors_query_fits(ctx, query))
		vectors_query_ask(ctx, query);
}

static const struct datum *name_of(const struct vectors_query *query)
{
	return datum_field(query->call->request, VECTORS_QUERY__INDEX_NAME);
}

static void vectors_query_stamped(struct context *ctx, const struct rows *rows, void *arg)
{
	struct vectors_query *query = arg;
	size_t len = 0;
	const char *stamp = rows_count(rows) ? rows_text(rows, 0, 0, &len) : NULL;

	if (query->used_hints)
		query->stale = !stamp || strcmp(stamp, query->stamp) != 0;
	else
		query->stamp = stamp ? arena_copy(ctx->arena, stamp, len) : NULL;
}

static void ask_stamp(struct context *ctx, struct vectors_query *query)
{
	bind_text(ctx->params, name_of(query));
	params_text(ctx->params, ctx->schema, strlen(ctx->schema));
	context_send(ctx, SQL_VECTORS_QUERY__STAMP, vectors_query_stamped, query);
}

static void ask_catalog(struct context *ctx, struct vectors_query *query)
{
	query->used_hints = query->stale = query->crowded = query->exact = false;
	query->stamp = NULL;
	vectors_hint_drop(ctx, name_of(query));
	/* First: a change behind it shows at the next look. */
	ask_stamp(ctx, query);
	vectors_describe(ctx, name_of(query), 1, vectors_query_described, query);
}

/* The search goes with the stamp that tells whether it holds. */
static bool vectors_query_guess(struct context *ctx, struct vectors_query *query)
{
	struct vectors_hint *hint = arena_alloc(ctx->arena, sizeof(*hint));

	if (!vectors_hint_find(ctx, name_of(query), &query->namespace, hint))
		return false;
	query->index = &hint->index;
	query->stamp = hint->stamp;
	query->crowded = hint->crowded && !vectors_filter_given(query->filter) &&
		query->top_k <= ef_of(query);
	query->used_hints = true;
	if (!vectors_query_fits(ctx, query))
		return false;
	ask_stamp(ctx, query);
	vectors_query_ask(ctx, query);
	return true;
}

void vectors_query(struct context *ctx)
{
	struct vectors_query *query = arena_calloc(ctx->arena, 1, sizeof(*query));

	query->call = ctx->calls[0];
	if (read_query(ctx, query) && !vectors_query_guess(ctx, query))
		ask_catalog(ctx, query);
}
