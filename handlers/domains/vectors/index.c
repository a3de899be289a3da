/* index.c - reads the catalog about vector tables, migrates old tables, and checks metadata */
#include "handlers/domains/vectors/index.h"

#include <string.h>

#include "commands.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/keys.h"
#include "schemas/json/json.h"

#define NAMESPACE_MAXIMUM 255 /* in characters: the column is a varchar(255) */

static uint32_t vectors_index_characters(const struct datum *text)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < text->size; i++)
		count += ((unsigned char)text->text[i] & 0xc0) != 0x80;
	return count;
}

bool vectors_namespace(struct context *ctx, struct call *call, const struct datum *given,
	struct datum *out)
{
	*out = datum_is_null(given) ? datum_string(VECTORS_NAMESPACE_DEFAULT) : *given;
	if (!binding_text_ok(ctx, call, out, "namespace"))
		return false;
	if (vectors_index_characters(out) <= NAMESPACE_MAXIMUM)
		return true;
	call_fail(ctx, call, FAILURE_INVALID, "INVALID_NAMESPACE", NULL,
		"namespace is longer than %d characters", NAMESPACE_MAXIMUM);
	return false;
}

/* Metadata is normalised because a filter compares the text that jsonb gives a value, and jsonb
 * keeps the zeros of 1.0. */
bool vectors_metadata(struct context *ctx, struct call *call, const struct datum *given,
	const char *name, struct datum *out)
{
	struct datum storable;

	if (!binding_json(ctx, call, given, name, &storable))
		return false;
	/* Normalise last: json_normal drops the flag that asks for a repair. */
	*out = datum_is_null(&storable) ? storable : json_normal(ctx->arena, &storable);
	if (json_is_falsy(json_of(out)))
		*out = datum_null();
	return true;
}

bool vectors_filter_given(const struct datum *json)
{
	struct json value = json_of(json);
	struct json_iter iter;
	struct json key, member;

	if (json_kind(value) == JSON_ABSENT || json_kind(value) == JSON_NULL_KIND)
		return false;
	if (json_kind(value) != JSON_OBJECT_KIND)
		return true;
	iter = json_iter(value);
	return json_next(&iter, &key, &member);
}

/* ---------------------------------------------------------------- the catalog */

/* The columns of the catalog statement (describeIndex.sql), in their order. */
enum {
	COLUMN_NAME,
	COLUMN_OID,
	COLUMN_TYPE,
	COLUMN_TYPE_OID,
	COLUMN_DIMENSION,
	COLUMN_EXTENSION,
	COLUMN_ITERATIVE,
	COLUMN_METHOD,
	COLUMN_OPCLASS,
	COLUMN_M,
	COLUMN_EF_CONSTRUCTION,
	COLUMN_LISTS,
	COLUMN_HAS_NAMESPACE,
	COLUMN_HAS_UNIQUE,
	COLUMN_UNIQUE_NAME,
	COLUMN_OLD_UNIQUE,
};

struct describing {
	const struct datum *names;
	uint32_t count;
	vectors_described_fn *done;
	void *arg;
};

static const char *vectors_index_column_text(struct context *ctx, const struct rows *rows, int row,
	int column)
{
	size_t len = 0;

	if (rows_null(rows, row, column))
		return NULL;
	const char *text = rows_text(rows, row, column, &len);
	return arena_copy(ctx->arena, text, len);
}

static int vectors_index_column_number(const struct rows *rows, int row, int column)
{
	return rows_null(rows, row, column) ? 0 : (int)rows_integer(rows, row, column);
}

static enum vectors_type vectors_index_type(const char *name)
{
	int type = VECTORS_SPARSEVEC;

	while (type > 0 && strcmp(vectors_type_names[type], name) != 0)
		type--;
	return (enum vectors_type)type;
}

static enum vectors_method vectors_index_method(const char *name)
{
	if (strcmp(name, "hnsw") == 0)
		return VECTORS_HNSW;
	return strcmp(name, "ivfflat") == 0 ? VECTORS_IVFFLAT : VECTORS_FLAT;
}

/* A table without an index does not record its metric: cosine is assumed. */
static enum vectors_metric vectors_index_metric(const char *opclass)
{
	static const struct {
		const char *part;
		enum vectors_metric metric;
	} parts[] = { { "_l2_", VECTORS_EUCLIDEAN }, { "_ip_", VECTORS_DOTPRODUCT },
		{ "_hamming_", VECTORS_HAMMING }, { "_jaccard_", VECTORS_JACCARD } };

	for (size_t i = 0; opclass && i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strstr(opclass, parts[i].part))
			return parts[i].metric;
	return VECTORS_COSINE;
}

static void vectors_index_read(struct context *ctx, const struct rows *rows, int row,
	struct vectors_index *index)
{
	const char *method = vectors_index_column_text(ctx, rows, row, COLUMN_METHOD);

	index->exists = true;
	index->oid = rows_integer(rows, row, COLUMN_OID);
	index->type = vectors_index_type(vectors_index_column_text(ctx, rows, row, COLUMN_TYPE));
	index->type_oid = (uint32_t)rows_integer(rows, row, COLUMN_TYPE_OID);
	index->dimension = (int)rows_integer(rows, row, COLUMN_DIMENSION);
	index->extension = vectors_index_column_text(ctx, rows, row, COLUMN_EXTENSION);
	index->iterative = rows_bool(rows, row, COLUMN_ITERATIVE);
	index->method_name = method ? method : "flat";
	index->method = vectors_index_method(index->method_name);
	index->metric = vectors_index_metric(vectors_index_column_text(ctx, rows, row,
		COLUMN_OPCLASS));
	index->m = vectors_index_column_number(rows, row, COLUMN_M);
	index->ef_construction = vectors_index_column_number(rows, row, COLUMN_EF_CONSTRUCTION);
	index->lists = vectors_index_column_number(rows, row, COLUMN_LISTS);
	index->has_namespace = rows_bool(rows, row, COLUMN_HAS_NAMESPACE);
	index->has_unique = rows_bool(rows, row, COLUMN_HAS_UNIQUE);
	index->unique_name = vectors_index_column_text(ctx, rows, row, COLUMN_UNIQUE_NAME);
	index->old_unique = vectors_index_column_text(ctx, rows, row, COLUMN_OLD_UNIQUE);
}

static void vectors_index_described(struct context *ctx, const struct rows *rows, void *arg)
{
	const struct describing *describing = arg;
	struct keys *keys = keys_new(ctx->arena, describing->count);
	struct vectors_index *indexes = arena_calloc(ctx->arena, describing->count,
		sizeof(*indexes));

	for (uint32_t i = 0; i < describing->count; i++)
		indexes[keys_add(keys, &describing->names[i])].name = describing->names[i];
	for (int row = 0; row < rows_count(rows); row++) {
		size_t len = 0;
		const char *text = rows_text(rows, row, COLUMN_NAME, &len);
		struct datum name = datum_text(text, (uint32_t)len);
		uint32_t number = keys_find(keys, &name);
		if (number != KEYS_NONE)
			vectors_index_read(ctx, rows, row, &indexes[number]);
	}
	describing->done(ctx, indexes, describing->count, describing->arg);
}

void vectors_describe(struct context *ctx, const struct datum *names, uint32_t count,
	vectors_described_fn *done, void *arg)
{
	struct describing *describing = arena_alloc(ctx->arena, sizeof(*describing));
	int array = params_array(ctx->params, ELEMENT_TEXT);

	*describing = (struct describing){ names, count, done, arg };
	for (uint32_t i = 0; i < count; i++)
		bind_element_text(ctx->params, array, &names[i]);
	params_text(ctx->params, ctx->schema, strlen(ctx->schema));
	context_send(ctx, SQL_VECTORS_DESCRIBE_INDEX__CATALOG, vectors_index_described, describing);
}

bool vectors_index_ok(struct context *ctx, struct call *call, const struct vectors_index *index)
{
	if (index->exists)
		return true;
	call_fail(ctx, call, FAILURE_NOT_FOUND, "INDEX_NOT_FOUND",
		arena_printf(ctx->arena, "{\"indexName\":\"%.*s\"}", (int)index->name.size,
			index->name.text),
		"Vector table \"%s\".\"%.*s\" does not exist", ctx->schema, (int)index->name.size,
		index->name.text);
	return false;
}

bool vectors_index_is_migrated(const struct vectors_index *index)
{
	return index->has_namespace && index->has_unique && !index->old_unique;
}

/* Takes the same advisory lock as the reference does for its migration. */
void vectors_index_migrate(struct context *ctx, const struct vectors_index *index)
{
	const char *table = vectors_table(ctx->arena, index);

	if (vectors_index_is_migrated(index))
		return;
	params_int8(ctx->params, index->oid);
	context_send_sql(ctx,
		"SELECT pg_advisory_xact_lock((1936876916::bigint << 32) | $1::bigint)", NULL,
		NULL);
	context_send_sql(ctx,
		arena_printf(ctx->arena,
			"ALTER TABLE %s ADD COLUMN IF NOT EXISTS namespace VARCHAR(255) NOT NULL "
			"DEFAULT '" VECTORS_NAMESPACE_DEFAULT "'",
			table),
		NULL, NULL);
	if (!index->has_unique)
		context_send_sql(ctx,
			arena_printf(ctx->arena,
				"CREATE UNIQUE INDEX IF NOT EXISTS %s ON %s (namespace, vector_id)",
				index->unique_name, table),
			NULL, NULL);
	if (index->old_unique)
		context_send_sql(ctx,
			arena_printf(ctx->arena, "ALTER TABLE %s DROP CONSTRAINT IF EXISTS %s",
				table, index->old_unique),
			NULL, NULL);
}

const char *vectors_table(struct arena *arena, const struct vectors_index *index)
{
	return arena_printf(arena, ":\"schema\".\"%.*s\"", (int)index->name.size, index->name.text);
}

const char *vectors_type_sql(struct arena *arena, const struct vectors_index *index)
{
	if (index->type == VECTORS_BIT)
		return "pg_catalog.\"bit\"";
	return arena_printf(arena, "%s.%s", index->extension, vectors_type_names[index->type]);
}
