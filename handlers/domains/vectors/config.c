/* config.c - reads, completes and checks the configuration of a vector index */
#include "handlers/domains/vectors/config.h"

#include "fields.gen.h"
#include "handlers/core/choice.h"

#define LISTS_MAX 32768 /* pgvector's limit, like those below */
#define M_MIN 2
#define M_MAX 100
#define EF_MIN 4
#define EF_MAX 1000
/* The reference's defaults, not pgvector's. */
#define M_DEFAULT 8
#define EF_DEFAULT 32

static const char *const opclass_suffixes[] = { "cosine", "l2", "ip", "hamming", "jaccard" };

/* The maximum dimensions of a column and of an index on it (0: no limit of its own). */
static const struct {
	int64_t column, index;
} limits[] = {
	[VECTORS_VECTOR] = { 16000, 2000 },
	[VECTORS_HALFVEC] = { 16000, 4000 },
	[VECTORS_BIT] = { 64000, 64000 },
	[VECTORS_SPARSEVEC] = { 1000000000, 0 },
};

static bool vectors_config_refuse(struct context *ctx, struct call *call, const char *code,
	const char *why)
{
	call_fail(ctx, call, FAILURE_INVALID, code, NULL, "%s", why);
	return false;
}

/* ---------------------------------------------------------------- the request */

static bool vectors_config_number_ok(struct context *ctx, struct call *call,
	const struct datum *given, const char *name, int32_t min, int32_t max, int32_t fallback,
	int32_t *out)
{
	*out = datum_is_null(given) ? fallback : (int32_t)given->integer;
	if (datum_is_null(given) || (given->integer >= min && given->integer <= max))
		return true;
	call_fail(ctx, call, FAILURE_INVALID, "INVALID_INDEX_CONFIG", NULL,
		"indexConfig.%s must be %d to %d", name, (int)min, (int)max);
	return false;
}

static bool vectors_config_read_options(struct context *ctx, struct call *call,
	const struct datum *config, struct vectors_config *out)
{
	const struct datum *ivf = datum_field(config, VECTORS_INDEX_CONFIG__IVF);
	const struct datum *hnsw = datum_field(config, VECTORS_INDEX_CONFIG__HNSW);
	if (!datum_is_null(ivf) &&
		!vectors_config_number_ok(ctx, call, datum_field(ivf, VECTORS_IVF_CONFIG__LISTS),
			"ivf.lists", 0, LISTS_MAX, 0, &out->lists))
		return false;
	return datum_is_null(hnsw) ||
		(vectors_config_number_ok(ctx, call, datum_field(hnsw, VECTORS_HNSW_CONFIG__M),
			 "hnsw.m", M_MIN, M_MAX, M_DEFAULT, &out->m) &&
			vectors_config_number_ok(ctx, call,
				datum_field(hnsw, VECTORS_HNSW_CONFIG__EF_CONSTRUCTION),
				"hnsw.efConstruction", EF_MIN, EF_MAX, EF_DEFAULT,
				&out->ef_construction));
}

static bool vectors_config_read_method(struct context *ctx, struct call *call,
	const struct datum *config, struct vectors_config *out)
{
	const struct datum *method = datum_field(config, VECTORS_INDEX_CONFIG__TYPE);
	if (!choice_ok(ctx, call, method, vectors_method_names, "INVALID_INDEX_TYPE",
		    "indexConfig.type") ||
		!vectors_config_read_options(ctx, call, config, out))
		return false;
	out->keep = datum_is_null(method) &&
		datum_is_null(datum_field(config, VECTORS_INDEX_CONFIG__IVF)) &&
		datum_is_null(datum_field(config, VECTORS_INDEX_CONFIG__HNSW));
	out->method_given = !datum_is_null(method);
	if (out->method_given)
		out->method = (enum vectors_method)choice_find(vectors_method_names, method);
	return true;
}

bool vectors_config_read(struct context *ctx, struct call *call, const struct datum *metric,
	const struct datum *type, const struct datum *config, struct vectors_config *out)
{
	*out = (struct vectors_config){ .metric = VECTORS_COSINE,
		.method = VECTORS_IVFFLAT,
		.keep = true,
		.m = M_DEFAULT,
		.ef_construction = EF_DEFAULT };
	if (!choice_ok(ctx, call, metric, vectors_metric_names, "INVALID_METRIC", "metric") ||
		!choice_ok(ctx, call, type, vectors_type_names, "INVALID_VECTOR_TYPE",
			"vectorType"))
		return false;
	if (!datum_is_null(metric))
		out->metric = (enum vectors_metric)choice_find(vectors_metric_names, metric);
	if (!datum_is_null(type))
		out->type = (enum vectors_type)choice_find(vectors_type_names, type);
	return datum_is_null(config) || vectors_config_read_method(ctx, call, config, out);
}

/* ---------------------------------------------------------------- the combination */

static bool vectors_config_metric_ok(struct context *ctx, struct call *call,
	struct vectors_config *config)
{
	bool of_bits = config->metric == VECTORS_HAMMING || config->metric == VECTORS_JACCARD;
	if (config->type == VECTORS_BIT && !of_bits)
		config->metric = VECTORS_HAMMING;
	if (config->type == VECTORS_BIT || !of_bits)
		return true;
	call_fail(ctx, call, FAILURE_INVALID, "INVALID_METRIC", NULL,
		"the metric %s is for the vectorType bit alone: use cosine, euclidean or dotproduct",
		vectors_metric_names[config->metric]);
	return false;
}

static bool vectors_config_method_ok(struct context *ctx, struct call *call,
	const struct vectors_config *config)
{
	if (config->method == VECTORS_IVFFLAT && config->type == VECTORS_SPARSEVEC)
		return vectors_config_refuse(ctx, call, "UNSUPPORTED_INDEX_TYPE",
			"ivfflat takes no sparsevec: use indexConfig.type hnsw");
	if (config->method == VECTORS_IVFFLAT && config->metric == VECTORS_JACCARD)
		return vectors_config_refuse(ctx, call, "UNSUPPORTED_INDEX_TYPE",
			"ivfflat knows no jaccard distance: use indexConfig.type hnsw");
	if (config->method == VECTORS_HNSW && config->ef_construction < 2 * config->m) {
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_INDEX_CONFIG", NULL,
			"indexConfig.hnsw.efConstruction (%d) must be at least twice m (%d)",
			(int)config->ef_construction, (int)config->m);
		return false;
	}
	return true;
}

bool vectors_config_settle(struct context *ctx, struct call *call, enum vectors_type type,
	struct vectors_config *config)
{
	config->type = type;
	if (!config->method_given && type == VECTORS_SPARSEVEC)
		config->method = VECTORS_HNSW;
	return vectors_config_metric_ok(ctx, call, config) &&
		vectors_config_method_ok(ctx, call, config);
}

bool vectors_dimension_ok(struct context *ctx, struct call *call, enum vectors_type type,
	int64_t dimension)
{
	if (dimension >= 1 && dimension <= limits[type].column)
		return true;
	call_fail(ctx, call, FAILURE_INVALID, "INVALID_DIMENSION", NULL,
		"dimension must be 1 to %lld for the vectorType %s", (long long)limits[type].column,
		vectors_type_names[type]);
	return false;
}

bool vectors_config_dimension_ok(struct context *ctx, struct call *call,
	const struct vectors_config *config, int64_t dimension)
{
	int64_t most = limits[config->type].index;
	const char *other = "";
	if (dimension == 1 && config->method == VECTORS_IVFFLAT &&
		(config->metric == VECTORS_COSINE || config->metric == VECTORS_DOTPRODUCT))
		return vectors_config_refuse(ctx, call, "UNSUPPORTED_INDEX_TYPE",
			"ivfflat takes a single dimension for the metric euclidean alone: use hnsw or flat");
	if (config->method == VECTORS_FLAT || most == 0 || dimension <= most)
		return true;
	if (config->type == VECTORS_VECTOR && dimension <= limits[VECTORS_HALFVEC].index)
		other = "the vectorType halfvec (up to 4000), ";
	else if (config->type != VECTORS_BIT)
		other = "the vectorType bit (up to 64000) or fewer dimensions, ";
	call_fail(ctx, call, FAILURE_INVALID, "TOO_MANY_DIMENSIONS", NULL,
		"an index on %s covers at most %lld dimensions, not %lld: use %sor no index (buildIndex "
		"false, or indexConfig.type flat)",
		vectors_type_names[config->type], (long long)most, (long long)dimension, other);
	return false;
}

/* ---------------------------------------------------------------- the build */

static const char *vectors_config_options_json(struct context *ctx,
	const struct vectors_config *config)
{
	if (config->method == VECTORS_HNSW)
		return arena_printf(ctx->arena,
			",\"options\":{\"m\":\"%d\",\"ef_construction\":\"%d\"}", (int)config->m,
			(int)config->ef_construction);
	if (config->lists > 0)
		return arena_printf(ctx->arena, ",\"options\":{\"lists\":\"%d\"}",
			(int)config->lists);
	return "";
}

const char *vectors_config_wanted(struct context *ctx, const char *table,
	const struct vectors_config *config)
{
	if (config->method == VECTORS_FLAT)
		return arena_printf(ctx->arena, "{\"name\":\"%s_vector_idx\",\"method\":null}",
			table);
	return arena_printf(ctx->arena,
		"{\"name\":\"%s_vector_idx\",\"method\":\"%s\",\"opclass\":\"%s_%s_ops\"%s%s}",
		table, vectors_method_names[config->method], vectors_type_names[config->type],
		opclass_suffixes[config->metric], vectors_config_options_json(ctx, config),
		config->keep ? ",\"keep\":true" : "");
}
