/* query_request.c - the fields of vectors.query, with their defaults and limits */
#include "handlers/domains/vectors/query_request.h"

#include <math.h>

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/domains/vectors/embedding.h"

#define DEFAULT_TOP_K 10
#define DEFAULT_MIN_SCORE (-1.0)
#define PROBES_MAXIMUM 32768 /* pgvector's limit */

static bool query_request_fail(struct context *ctx, struct call *call, const char *message)
{
	call_fail(ctx, call, FAILURE_INVALID, "INVALID_QUERY", NULL, "%s", message);
	return false;
}

static bool query_request_read_numbers(struct context *ctx, struct vectors_query *query)
{
	struct call *call = query->call;
	const struct datum *top_k = datum_field(call->request, VECTORS_QUERY__TOP_K);
	const struct datum *min_score = datum_field(call->request, VECTORS_QUERY__MIN_SCORE);
	const struct datum *probes = datum_field(call->request, VECTORS_QUERY__PROBES);

	query->top_k = datum_is_null(top_k) ? DEFAULT_TOP_K : top_k->integer;
	query->min_score = datum_is_null(min_score) ? DEFAULT_MIN_SCORE : min_score->real;
	if (query->top_k < 1)
		return query_request_fail(ctx, call, "topK must be a positive integer");
	if (isnan(query->min_score))
		return query_request_fail(ctx, call, "minScore must be a number");
	if (!datum_is_null(probes) && (probes->integer < 0 || probes->integer > PROBES_MAXIMUM))
		return query_request_fail(ctx, call, "probes must be between 1 and 32768");
	return true;
}

bool query_request_read(struct context *ctx, struct vectors_query *query)
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
		!query_request_read_numbers(ctx, query))
		return false;
	if (!datum_is_null(vector))
		return vectors_embedding_read(ctx, call, vector, "queryVector", &query->vector);
	return vectors_filter_given(query->filter) ||
		query_request_fail(ctx, call, "Either queryVector or filter must be provided");
}
