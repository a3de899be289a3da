/* change.c - vectors.updateVector, deleteVector and deleteVectors: rows by id or by filter */
#include <string.h>

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/keys.h"
#include "handlers/core/reply.h"
#include "handlers/domains/vectors/embedding.h"
#include "handlers/domains/vectors/filter.h"
#include "handlers/domains/vectors/index.h"
#include "schemas/json/json.h"

/* The rows to change, and for an update their new values. */
struct change {
	struct call *call;
	struct datum namespace;
	const struct datum *id;     /* null: not given */
	const struct datum *ids;    /* null: not given */
	const struct datum *filter; /* null: not given */
	struct datum vector;        /* null: unchanged */
	struct datum metadata;      /* null: unchanged */
};

static const struct datum nothing = { .kind = DATUM_NULL };

static bool vectors_change_fail_input(struct context *ctx, struct call *call, const char *code,
	const char *message)
{
	call_fail(ctx, call, FAILURE_INVALID, code, NULL, "%s", message);
	return false;
}

/* True for a json field that is present and not the JSON null. */
static bool vectors_change_is_given(const struct datum *json)
{
	return json_kind(json_of(json)) != JSON_ABSENT &&
		json_kind(json_of(json)) != JSON_NULL_KIND;
}

/* ---------------------------------------------------------------- which rows */

/* Binds the values of the condition that selects the rows, and returns the condition. NULL: the
 * call has failed. In a table without namespaces, all rows belong to the default namespace. */
static const char *vectors_change_bind_rows(struct context *ctx, const struct change *change,
	const struct vectors_index *index)
{
	const char *condition, *where = "TRUE";
	struct datum all = datum_string(VECTORS_NAMESPACE_DEFAULT);

	if (index->has_namespace) {
		bind_text(ctx->params, &change->namespace);
		where = arena_printf(ctx->arena, "namespace = $%d::text",
			params_count(ctx->params));
	} else if (!datum_equals(&change->namespace, &all)) {
		where = "FALSE";
	}
	if (!datum_is_null(change->id)) {
		bind_text(ctx->params, change->id);
		return arena_printf(ctx->arena, "%s AND vector_id = $%d::text", where,
			params_count(ctx->params));
	}
	if (!datum_is_null(change->ids)) {
		bind_texts(ctx->params, change->ids);
		return arena_printf(ctx->arena, "%s AND vector_id = ANY ($%d::text[])", where,
			params_count(ctx->params));
	}
	if (!vectors_change_is_given(change->filter))
		return where;
	if (!vectors_filter(ctx, change->call, change->filter->text, change->filter->size, "filter",
		    &condition)) {
		params_reset(ctx->params);
		return NULL;
	}
	if (strcmp(condition, "TRUE") == 0) {
		params_reset(ctx->params);
		vectors_change_fail_input(ctx, change->call, "EMPTY_FILTER",
			"The filter has no condition: it would affect all vectors");
		return NULL;
	}
	return arena_printf(ctx->arena, "%s AND %s", where, condition);
}

/* ---------------------------------------------------------------- updateVector */

static bool vectors_change_read_update(struct context *ctx, struct change *change)
{
	struct call *call = change->call;
	const struct datum *update = datum_field(call->request, VECTORS_UPDATE_VECTOR__UPDATE);
	const struct datum *vector = datum_field(update, VECTORS_VECTOR_UPDATE__VECTOR);
	const struct datum *metadata = datum_field(update, VECTORS_VECTOR_UPDATE__METADATA);

	if (!datum_is_null(vector) &&
		!vectors_embedding_read(ctx, call, vector, "update.vector", &change->vector))
		return false;
	if (!vectors_metadata(ctx, call, metadata, "update.metadata", &change->metadata))
		return false;
	if (!datum_is_null(&change->vector) || !datum_is_null(&change->metadata))
		return true;
	return vectors_change_fail_input(ctx, call, "NO_UPDATES", "No updates provided");
}

/* An empty id counts as absent. */
static bool vectors_change_read_update_target(struct context *ctx, struct change *change)
{
	struct call *call = change->call;
	const struct datum *id = datum_field(call->request, VECTORS_UPDATE_VECTOR__ID);

	change->id = !datum_is_null(id) && id->size ? id : &nothing;
	change->filter = datum_field(call->request, VECTORS_UPDATE_VECTOR__FILTER);
	if (!datum_is_null(change->id) && vectors_change_is_given(change->filter))
		return vectors_change_fail_input(ctx, call, "MUTUALLY_EXCLUSIVE",
			"Cannot provide both id and filter: they are mutually exclusive");
	if (datum_is_null(change->id) && !vectors_change_is_given(change->filter))
		return vectors_change_fail_input(ctx, call, "NO_TARGET",
			"Either id or filter must be provided");
	if (datum_is_null(change->id) && !vectors_filter_given(change->filter))
		return vectors_change_fail_input(ctx, call, "EMPTY_FILTER",
			"Cannot update with empty filter");
	return binding_text_ok(ctx, call, change->id, "id");
}

static const char *vectors_change_bind_set(struct context *ctx, const struct change *change,
	const struct vectors_index *index)
{
	const char *set = "";

	if (!datum_is_null(&change->vector)) {
		vectors_embedding_bind(ctx->params, index->type, &change->vector);
		set = arena_printf(ctx->arena, "embedding = $1::%s",
			vectors_type_sql(ctx->arena, index));
	}
	if (datum_is_null(&change->metadata))
		return set;
	bind_jsonb(ctx->params, &change->metadata);
	return arena_printf(ctx->arena, "%s%smetadata = $%d::jsonb", set, *set ? ", " : "",
		params_count(ctx->params));
}

static void vectors_change_update_described(struct context *ctx,
	const struct vectors_index *indexes, uint32_t count, void *arg)
{
	const struct change *change = arg;

	(void)count;
	if (!vectors_index_ok(ctx, change->call, indexes))
		return;
	if (!datum_is_null(&change->vector) &&
		!vectors_embedding_fits(ctx, change->call, indexes, &change->vector))
		return;
	const char *set = vectors_change_bind_set(ctx, change, indexes);
	const char *where = vectors_change_bind_rows(ctx, change, indexes);
	if (!where)
		return;
	context_send_sql(ctx,
		arena_printf(ctx->arena, "UPDATE %s SET %s WHERE %s",
			vectors_table(ctx->arena, indexes), set, where),
		NULL, NULL);
	call_reply_null(ctx, change->call);
}

void vectors_update_vector(struct context *ctx)
{
	struct change *change = arena_calloc(ctx->arena, 1, sizeof(*change));
	struct call *call = ctx->calls[0];
	const struct datum *name = datum_field(call->request, VECTORS_UPDATE_VECTOR__INDEX_NAME);

	*change = (struct change){ .call = call, .ids = &nothing };
	if (vectors_name_ok(ctx, call, name) &&
		vectors_namespace(ctx, call,
			datum_field(call->request, VECTORS_UPDATE_VECTOR__NAMESPACE),
			&change->namespace) &&
		vectors_change_read_update_target(ctx, change) &&
		vectors_change_read_update(ctx, change))
		vectors_describe(ctx, name, 1, vectors_change_update_described, change);
}

/* ---------------------------------------------------------------- deleteVectors */

static void vectors_change_delete_described(struct context *ctx,
	const struct vectors_index *indexes, uint32_t count, void *arg)
{
	const struct change *change = arg;

	(void)count;
	if (!vectors_index_ok(ctx, change->call, indexes))
		return;
	const char *where = vectors_change_bind_rows(ctx, change, indexes);
	if (!where)
		return;
	context_send_sql(ctx,
		arena_printf(ctx->arena, "DELETE FROM %s WHERE %s",
			vectors_table(ctx->arena, indexes), where),
		NULL, NULL);
	call_reply_null(ctx, change->call);
}

/* A command that names a namespace may delete all its vectors. */
static bool vectors_change_read_delete_target(struct context *ctx, struct change *change)
{
	struct call *call = change->call;
	const struct datum *namespace = datum_field(call->request,
		VECTORS_DELETE_VECTORS__NAMESPACE);

	change->ids = datum_field(call->request, VECTORS_DELETE_VECTORS__IDS);
	change->filter = datum_field(call->request, VECTORS_DELETE_VECTORS__FILTER);
	if (!datum_is_null(change->ids) && vectors_change_is_given(change->filter))
		return vectors_change_fail_input(ctx, call, "MUTUALLY_EXCLUSIVE",
			"Cannot provide both filter and ids: they are mutually exclusive");
	if (!datum_is_null(change->ids) && !change->ids->size)
		return vectors_change_fail_input(ctx, call, "EMPTY_IDS",
			"Cannot delete with empty ids array");
	if (vectors_change_is_given(change->filter) && !vectors_filter_given(change->filter))
		return vectors_change_fail_input(ctx, call, "EMPTY_FILTER",
			"Cannot delete with empty filter: truncateIndex removes all vectors");
	if (datum_is_null(change->ids) && !vectors_change_is_given(change->filter) &&
		datum_is_null(namespace))
		return vectors_change_fail_input(ctx, call, "NO_TARGET",
			"Either filter or ids must be provided, unless a namespace is given");
	for (uint32_t i = 0; !datum_is_null(change->ids) && i < change->ids->size; i++)
		if (!binding_text_ok(ctx, call, &change->ids->items[i], "ids"))
			return false;
	return true;
}

void vectors_delete_vectors(struct context *ctx)
{
	struct change *change = arena_calloc(ctx->arena, 1, sizeof(*change));
	struct call *call = ctx->calls[0];
	const struct datum *name = datum_field(call->request, VECTORS_DELETE_VECTORS__INDEX_NAME);

	*change = (struct change){ .call = call, .id = &nothing };
	if (vectors_name_ok(ctx, call, name) &&
		vectors_namespace(ctx, call,
			datum_field(call->request, VECTORS_DELETE_VECTORS__NAMESPACE),
			&change->namespace) &&
		vectors_change_read_delete_target(ctx, change))
		vectors_describe(ctx, name, 1, vectors_change_delete_described, change);
}

/* ---------------------------------------------------------------- deleteVector */

struct deletes {
	struct change *changes;
	uint32_t *index; /* for each change, the number of its index's name */
	size_t count;
};

static void vectors_change_each_described(struct context *ctx, const struct vectors_index *indexes,
	uint32_t count, void *arg)
{
	const struct deletes *all = arg;

	(void)count;
	for (size_t i = 0; i < all->count; i++)
		vectors_change_delete_described(ctx, &indexes[all->index[i]], 1, &all->changes[i]);
}

static bool vectors_change_read_delete(struct context *ctx, struct call *call,
	struct change *change)
{
	*change = (struct change){ .call = call,
		.id = datum_field(call->request, VECTORS_DELETE_VECTOR__ID),
		.ids = &nothing,
		.filter = &nothing };
	return vectors_name_ok(ctx, call,
		       datum_field(call->request, VECTORS_DELETE_VECTOR__INDEX_NAME)) &&
		vectors_namespace(ctx, call,
			datum_field(call->request, VECTORS_DELETE_VECTOR__NAMESPACE),
			&change->namespace) &&
		binding_text_ok(ctx, call, change->id, "id");
}

void vectors_delete_vector(struct context *ctx)
{
	struct deletes *all = arena_calloc(ctx->arena, 1, sizeof(*all));
	struct keys *keys = keys_new(ctx->arena, 1);

	all->changes = arena_alloc(ctx->arena, ctx->count * sizeof(*all->changes));
	all->index = arena_alloc(ctx->arena, ctx->count * sizeof(*all->index));
	for (size_t i = 0; i < ctx->count; i++) {
		struct call *call = ctx->calls[i];
		if (!vectors_change_read_delete(ctx, call, &all->changes[all->count]))
			continue;
		all->index[all->count++] = keys_add(keys,
			datum_field(call->request, VECTORS_DELETE_VECTOR__INDEX_NAME));
	}
	if (!all->count)
		return;
	struct datum *names = arena_alloc(ctx->arena, keys_count(keys) * sizeof(*names));
	for (uint32_t i = 0; i < keys_count(keys); i++)
		names[i] = *keys_text(keys, i);
	vectors_describe(ctx, names, keys_count(keys), vectors_change_each_described, all);
}
