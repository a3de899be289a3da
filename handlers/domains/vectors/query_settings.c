/* query_settings.c - chooses and sends hnsw.ef_search, ivfflat.probes and the kind of plan */
#include "handlers/domains/vectors/query_settings.h"

#include <math.h>
#include <string.h>

#include "commands.gen.h"
#include "fields.gen.h"

#define DEFAULT_M 16      /* pgvector's default */
#define EF_MINIMUM 40     /* our choice; pgvector's default */
#define EF_MAXIMUM 1000   /* pgvector's limit */
#define DEFAULT_LISTS 100 /* pgvector's default */

static int64_t query_settings_clamp(int64_t value, int64_t low, int64_t high)
{
	return value < low ? low : value > high ? high : value;
}

int64_t query_settings_ef(const struct vectors_query *query)
{
	const struct datum *given = datum_field(query->call->request, VECTORS_QUERY__EF);
	int m = query->index->m ? query->index->m : DEFAULT_M;

	if (!datum_is_null(given))
		return query_settings_clamp(given->integer, 1, EF_MAXIMUM);
	return query_settings_clamp(query->top_k * m, EF_MINIMUM, EF_MAXIMUM);
}

static int64_t query_settings_probes(const struct vectors_query *query)
{
	const struct datum *given = datum_field(query->call->request, VECTORS_QUERY__PROBES);
	int lists = query->index->lists ? query->index->lists : DEFAULT_LISTS;

	if (!datum_is_null(given) && given->integer)
		return given->integer;
	return (int64_t)ceil(sqrt(lists));
}

static void query_settings_send_index(struct context *ctx, const struct vectors_query *query,
	int statement, int64_t value)
{
	const char *text = arena_printf(ctx->arena, "%lld", (long long)value);
	const char *plan = query->crowded ? "force_generic_plan" : "force_custom_plan";

	params_text(ctx->params, text, strlen(text));
	params_bool(ctx->params, query->index->iterative && !query->crowded);
	params_text(ctx->params, plan, strlen(plan));
	context_send(ctx, statement, NULL, NULL);
}

void query_settings_send(struct context *ctx, const struct vectors_query *query)
{
	if (datum_is_null(&query->vector) || query->index->method == VECTORS_FLAT)
		context_send(ctx, SQL_VECTORS_QUERY__EXACT, NULL, NULL);
	else if (query->index->method == VECTORS_HNSW)
		query_settings_send_index(ctx, query, SQL_VECTORS_QUERY__HNSW,
			query_settings_ef(query));
	else
		query_settings_send_index(ctx, query, SQL_VECTORS_QUERY__IVFFLAT,
			query_settings_probes(query));
}
