/*
 * upsert.c - vectors.upsert: stores vectors with their ids and metadata, by many commands at once
 *
 * The commands of a context may name several indexes. One statement reads the catalog for all of
 * them, unless the executor has hints for all of them (hint.h). The rows then go in index by index,
 * in the order of the indexes' names; commands on one index keep their order.
 */
#include <string.h>

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/keys.h"
#include "handlers/core/reply.h"
#include "handlers/domains/vectors/embedding.h"
#include "handlers/domains/vectors/filter.h"
#include "handlers/domains/vectors/hint.h"
#include "handlers/domains/vectors/index.h"
#include "schemas/base/uuid.h"
#include "schemas/json/json.h"

/* Embeddings and metadata in one statement. A larger statement costs more per row, because it
 * does not fit into the processor's caches. */
#define STATEMENT_BYTES ((size_t)640 * 1024)

/* One command, after the checks that do not need its table. */
struct upsert {
	struct call *call;
	uint32_t index;        /* number of the index's name in upsert_context.names */
	struct datum *vectors; /* `count` items, each DATUM_FLOATS */
	uint32_t count;
	struct datum *ids;
	struct datum *metadata; /* `count` items, in the form that is stored */
	struct datum namespace;
};

struct upsert_context {
	struct upsert *upserts;
	size_t count;
	struct datum *names; /* the indexes' names, sorted */
};

/* A row to write. Of rows with the same key the last one wins. */
struct upsert_row {
	struct datum namespace;
	struct datum id;
	struct datum metadata;
	const struct datum *floats;
};

/* The rows of one index that the next statement writes. */
struct upsert_group {
	const struct vectors_index *index;
	struct keys *keys;
	struct upsert_row *rows; /* by the number of their key */
	uint32_t room;
};

/* ---------------------------------------------------------------- reading a command */

static bool vectors_upsert_lengths_ok(struct context *ctx, struct call *call,
	const struct datum *vectors, const struct datum *ids, const struct datum *metadata)
{
	const char *code = NULL;

	if (!vectors->size)
		code = "EMPTY_VECTORS";
	else if (!datum_is_null(ids) && ids->size != vectors->size)
		code = "IDS_LENGTH_MISMATCH";
	else if (!datum_is_null(metadata) && metadata->size && metadata->size != vectors->size)
		code = "METADATA_LENGTH_MISMATCH"; /* an empty array counts as absent */
	if (!code)
		return true;
	call_fail(ctx, call, FAILURE_INVALID, code, NULL,
		"vectors can't be empty, and ids and metadata must have the same length as vectors "
		"(%u): got %u ids and %u metadata",
		vectors->size, datum_is_null(ids) ? 0 : ids->size,
		datum_is_null(metadata) ? 0 : metadata->size);
	return false;
}

static bool vectors_upsert_read_ids(struct context *ctx, struct upsert *upsert,
	const struct datum *given)
{
	upsert->ids = arena_alloc(ctx->arena, upsert->count * sizeof(*upsert->ids));
	for (uint32_t i = 0; i < upsert->count; i++) {
		if (datum_is_null(given)) {
			char *id = arena_alloc(ctx->arena, UUID_TEXT_SIZE);
			uuid_v4(id);
			upsert->ids[i] = datum_string(id);
			continue;
		}
		if (!binding_text_ok(ctx, upsert->call, &given->items[i], "ids"))
			return false;
		upsert->ids[i] = given->items[i];
	}
	return true;
}

static bool vectors_upsert_read_metadata(struct context *ctx, struct upsert *upsert,
	const struct datum *given)
{
	upsert->metadata = arena_alloc(ctx->arena, upsert->count * sizeof(*upsert->metadata));
	for (uint32_t i = 0; i < upsert->count; i++) {
		struct datum *out = &upsert->metadata[i];
		*out = datum_null();
		if (!datum_is_null(given) && given->size &&
			!vectors_metadata(ctx, upsert->call, &given->items[i], "metadata", out))
			return false;
		if (datum_is_null(out))
			*out = datum_string("{}");
	}
	return true;
}

static bool vectors_upsert_read_vectors(struct context *ctx, struct upsert *upsert,
	const struct datum *given)
{
	upsert->count = given->size;
	upsert->vectors = arena_alloc(ctx->arena, given->size * sizeof(*upsert->vectors));
	for (uint32_t i = 0; i < given->size; i++)
		if (!vectors_embedding_read(ctx, upsert->call, &given->items[i], "vectors",
			    &upsert->vectors[i]))
			return false;
	return true;
}

static bool vectors_upsert_read(struct context *ctx, struct call *call, struct upsert *out)
{
	const struct datum *request = call->request;
	const struct datum *vectors = datum_field(request, VECTORS_UPSERT__VECTORS);
	const struct datum *ids = datum_field(request, VECTORS_UPSERT__IDS);
	const struct datum *metadata = datum_field(request, VECTORS_UPSERT__METADATA);

	*out = (struct upsert){ .call = call };
	if (!vectors_name_ok(ctx, call, datum_field(request, VECTORS_UPSERT__INDEX_NAME)) ||
		!vectors_upsert_lengths_ok(ctx, call, vectors, ids, metadata) ||
		!vectors_namespace(ctx, call, datum_field(request, VECTORS_UPSERT__NAMESPACE),
			&out->namespace))
		return false;
	return vectors_upsert_read_vectors(ctx, out, vectors) &&
		vectors_upsert_read_ids(ctx, out, ids) &&
		vectors_upsert_read_metadata(ctx, out, metadata);
}

/* ---------------------------------------------------------------- rows of one index */

/* A row's key: the namespace, a NUL (which no namespace can hold), and the id. */
static struct datum *vectors_upsert_row_key(struct arena *arena, const struct datum *namespace,
	const struct datum *id)
{
	struct datum *key = arena_alloc(arena, sizeof(*key));
	uint32_t size = namespace->size + 1 + id->size;
	char *text = arena_alloc(arena, size);

	memcpy(text, namespace->text, namespace->size);
	text[namespace->size] = '\0';
	if (id->size)
		memcpy(text + namespace->size + 1, id->text, id->size);
	*key = datum_text(text, size);
	return key;
}

static void vectors_upsert_add_row(struct context *ctx, struct upsert_group *group,
	struct upsert_row row)
{
	uint32_t number = keys_add(group->keys,
		vectors_upsert_row_key(ctx->arena, &row.namespace, &row.id));

	if (number >= group->room) {
		uint32_t room = group->room ? 2 * group->room : 64;
		struct upsert_row *grown = arena_alloc(ctx->arena, room * sizeof(*grown));
		if (group->room)
			memcpy(grown, group->rows, group->room * sizeof(*grown));
		group->rows = grown;
		group->room = room;
	}
	group->rows[number] = row;
}

/* Binds rows from number `at` of the order on, as many as one statement takes. Returns the
 * number of the next row. */
static uint32_t vectors_upsert_bind_rows(struct context *ctx, const struct upsert_group *group,
	const uint32_t *order, uint32_t at)
{
	size_t bytes = 0;
	struct params *params = ctx->params;
	int ids = params_array(params, ELEMENT_TEXT);
	int embeddings = params_array_of(params, group->index->type_oid);
	int metadata = params_array(params, ELEMENT_JSONB);
	int namespaces = params_array(params, ELEMENT_TEXT);

	while (at < keys_count(group->keys) && bytes < STATEMENT_BYTES) {
		const struct upsert_row *row = &group->rows[order[at++]];
		bytes += row->floats->size * sizeof(float) + row->metadata.size;
		bind_element_text(params, ids, &row->id);
		vectors_embedding_bind_element(params, embeddings, group->index->type, row->floats);
		bind_element_jsonb(params, metadata, &row->metadata);
		bind_element_text(params, namespaces, &row->namespace);
	}
	return at;
}

/* As a target, unnest produces the rows one by one. In FROM it would first store all of them. */
static const char *vectors_upsert_insert_sql(struct context *ctx, const struct vectors_index *index)
{
	return arena_printf(ctx->arena,
		"INSERT INTO %s (vector_id, embedding, metadata, namespace) "
		"SELECT unnest($1::text[]), unnest($2::%s[]), unnest($3::jsonb[]), unnest($4::text[])",
		vectors_table(ctx->arena, index), vectors_type_sql(ctx->arena, index));
}

static const char *vectors_upsert_update_sql(struct context *ctx, const struct vectors_index *index)
{
	return arena_printf(ctx->arena,
		"%s ON CONFLICT (namespace, vector_id) DO UPDATE "
		"SET embedding = EXCLUDED.embedding, metadata = EXCLUDED.metadata",
		vectors_upsert_insert_sql(ctx, index));
}

/* For rows that are expected to be new: a row that exists fails the statement. The INSERT of no
 * rows makes PostgreSQL refuse the statement unless (namespace, vector_id) is unique. */
static const char *vectors_upsert_new_sql(struct context *ctx, const struct vectors_index *index)
{
	return arena_printf(ctx->arena,
		"WITH guard AS (INSERT INTO %s (vector_id) SELECT NULL WHERE false "
		"ON CONFLICT (namespace, vector_id) DO NOTHING) %s",
		vectors_table(ctx->arena, index), vectors_upsert_insert_sql(ctx, index));
}

/* May the next statement insert the rows as new? Only in a table without an index: index entries are
 * expensive, and a rollback leaves dead ones in the index. */
static bool vectors_upsert_may_insert_as_new(struct context *ctx, const struct upsert_group *group)
{
	return group->index->method == VECTORS_FLAT &&
		context_insert_optimistically(ctx, keys_count(group->keys));
}

static void vectors_upsert_send_rows(struct context *ctx, struct upsert_group *group)
{
	if (!group->keys || !keys_count(group->keys))
		return;
	const char *sql = vectors_upsert_may_insert_as_new(ctx, group)
		? vectors_upsert_new_sql(ctx, group->index)
		: vectors_upsert_update_sql(ctx, group->index);
	const uint32_t *order = keys_sorted(group->keys);
	for (uint32_t at = 0; at < keys_count(group->keys);) {
		at = vectors_upsert_bind_rows(ctx, group, order, at);
		context_send_sql(ctx, sql, NULL, NULL);
	}
	group->keys = NULL;
}

/* Deletes the rows that deleteFilter matches, before the command writes its own. False: the call
 * has failed. */
static bool vectors_upsert_send_delete(struct context *ctx, struct upsert_group *group,
	const struct upsert *upsert)
{
	const struct datum *filter = datum_field(upsert->call->request,
		VECTORS_UPSERT__DELETE_FILTER);
	const char *where;

	if (!vectors_filter_given(filter))
		return true;
	vectors_upsert_send_rows(ctx, group);
	bind_text(ctx->params, &upsert->namespace);
	if (!vectors_filter(ctx, upsert->call, filter->text, filter->size, "deleteFilter",
		    &where)) {
		params_reset(ctx->params);
		return false;
	}
	if (strcmp(where, "TRUE") == 0) { /* no condition: nothing is deleted */
		params_reset(ctx->params);
		return true;
	}
	context_send_sql(ctx,
		arena_printf(ctx->arena, "DELETE FROM %s WHERE namespace = $1::text AND %s",
			vectors_table(ctx->arena, group->index), where),
		NULL, NULL);
	return true;
}

static bool vectors_upsert_fits(struct context *ctx, const struct vectors_index *index,
	const struct upsert *upsert)
{
	if (!vectors_index_ok(ctx, upsert->call, index))
		return false;
	for (uint32_t i = 0; i < upsert->count; i++)
		if (!vectors_embedding_fits(ctx, upsert->call, index, &upsert->vectors[i]))
			return false;
	return true;
}

static void vectors_upsert_apply(struct context *ctx, struct upsert_group *group,
	const struct upsert *upsert)
{
	if (!vectors_upsert_fits(ctx, group->index, upsert))
		return;
	if (!vectors_upsert_send_delete(ctx, group, upsert))
		return;
	if (!group->keys)
		group->keys = keys_new(ctx->arena, upsert->count);
	for (uint32_t i = 0; i < upsert->count; i++)
		vectors_upsert_add_row(ctx, group,
			(struct upsert_row){ upsert->namespace, upsert->ids[i], upsert->metadata[i],
				&upsert->vectors[i] });
	call_reply(ctx, upsert->call, datum_array(upsert->ids, upsert->count));
}

/* ---------------------------------------------------------------- the commands of a context */

static void vectors_upsert_write_index(struct context *ctx, const struct upsert_context *all,
	uint32_t number, const struct vectors_index *index)
{
	struct upsert_group group = { .index = index };

	for (size_t i = 0; i < all->count; i++)
		if (all->upserts[i].index == number)
			vectors_upsert_apply(ctx, &group, &all->upserts[i]);
	vectors_upsert_send_rows(ctx, &group);
}

static void vectors_upsert_described(struct context *ctx, const struct vectors_index *indexes,
	uint32_t count, void *arg)
{
	for (uint32_t i = 0; i < count; i++) {
		if (indexes[i].exists) {
			vectors_hint_put(ctx, &indexes[i], NULL);
			vectors_index_migrate(ctx, &indexes[i]);
		}
		vectors_upsert_write_index(ctx, arg, i, &indexes[i]);
	}
}

static void vectors_upsert_describe(struct context *ctx, struct upsert_context *all, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		vectors_hint_drop(ctx, &all->names[i]);
	vectors_describe(ctx, all->names, count, vectors_upsert_described, all);
}

/* Writes by the hints. False: an index has no hint, or a vector does not fit a hint, which only
 * the table can confirm; nothing is sent. */
static bool vectors_upsert_by_hints(struct context *ctx, const struct upsert_context *all,
	uint32_t count)
{
	struct vectors_index *indexes = arena_alloc(ctx->arena, count * sizeof(*indexes));

	for (uint32_t i = 0; i < count; i++)
		if (!vectors_hint_find_table(ctx, &all->names[i], &indexes[i]))
			return false;
	for (size_t i = 0; i < all->count; i++)
		if (!vectors_upsert_fits(ctx, &indexes[all->upserts[i].index], &all->upserts[i]))
			return false;
	for (uint32_t i = 0; i < count; i++)
		vectors_upsert_write_index(ctx, all, i, &indexes[i]);
	return true;
}

/* Replaces the number of each command's index by its position among the sorted names. */
static void vectors_upsert_number_indexes(struct context *ctx, struct upsert_context *all,
	struct keys *keys)
{
	const uint32_t *order = keys_sorted(keys);
	uint32_t *place = arena_alloc(ctx->arena, keys_count(keys) * sizeof(*place));

	all->names = arena_alloc(ctx->arena, keys_count(keys) * sizeof(*all->names));
	for (uint32_t i = 0; i < keys_count(keys); i++) {
		all->names[i] = *keys_text(keys, order[i]);
		place[order[i]] = i;
	}
	for (size_t i = 0; i < all->count; i++)
		all->upserts[i].index = place[all->upserts[i].index];
}

void vectors_upsert(struct context *ctx)
{
	struct upsert_context *all = arena_calloc(ctx->arena, 1, sizeof(*all));
	struct keys *keys = keys_new(ctx->arena, 1);

	all->upserts = arena_alloc(ctx->arena, ctx->count * sizeof(*all->upserts));
	for (size_t i = 0; i < ctx->count; i++) {
		struct call *call = ctx->calls[i];
		struct upsert *upsert = &all->upserts[all->count];
		if (!vectors_upsert_read(ctx, call, upsert))
			continue;
		upsert->index = keys_add(keys,
			datum_field(call->request, VECTORS_UPSERT__INDEX_NAME));
		all->count++;
	}
	if (!all->count)
		return;
	vectors_upsert_number_indexes(ctx, all, keys);
	if (!vectors_upsert_by_hints(ctx, all, keys_count(keys)))
		vectors_upsert_describe(ctx, all, keys_count(keys));
}
