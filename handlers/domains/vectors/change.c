/* vectors.updateVector, deleteVector and deleteVectors: rows by their ids, or by a filter. */
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

/* Which rows, and for an update what they become. */
struct change {
	struct call *call;
	struct datum namespace;
	const struct datum *id;     /* null: none */
	const struct datum *ids;    /* null: none */
	const struct datum *filter; /* null: none */
	struct datum vector;        /* null: stays */
	struct datum metadata;      /* null: stays */
};

static const struct datum nothing = { .kind = DATUM_NULL };

static bool fail_input(struct turn *turn, struct call *call, const char *code, const char *message)
{
	call_fail(turn, call, FAILURE_INVALID, code, NULL, "%s", message);
	return false;
}

/* A json field whose text is null is not given, nor is one that is not there. */
static bool is_given(const struct datum *json)
{
	return json_kind(json_of(json)) != JSON_ABSENT &&
		json_kind(json_of(json)) != JSON_NULL_KIND;
}

/* ---------------------------------------------------------------- which rows */

/* Appends the values of the condition; NULL: the call has failed. In a table without namespaces
 * all rows are in the default one. */
static const char *bind_rows(struct turn *turn, const struct change *change,
	const struct vectors_index *index)
{
	const char *condition, *where = "TRUE";
	struct datum all = datum_string(VECTORS_NAMESPACE_DEFAULT);

	if (index->has_namespace) {
		bind_text(turn->params, &change->namespace);
		where = arena_printf(turn->arena, "namespace = $%d::text",
			params_count(turn->params));
	} else if (!datum_equals(&change->namespace, &all)) {
		where = "FALSE";
	}
	if (!datum_is_null(change->id)) {
		bind_text(turn->params, change->id);
		return arena_printf(turn->arena, "%s AND vector_id = $%d::text", where,
			params_count(turn->params));
	}
	if (!datum_is_null(change->ids)) {
		bind_texts(turn->params, change->ids);
		return arena_printf(turn->arena, "%s AND vector_id = ANY ($%d::text[])", where,
			params_count(turn->params));
	}
	if (!is_given(change->filter))
		return where;
	if (!vectors_filter(turn, change->call, change->filter->text, change->filter->size,
		    "filter", &condition)) {
		params_reset(turn->params);
		return NULL;
	}
	if (strcmp(condition, "TRUE") == 0) {
		params_reset(turn->params);
		fail_input(turn, change->call, "EMPTY_FILTER",
			"The filter has no condition: it would act on all vectors");
		return NULL;
	}
	return arena_printf(turn->arena, "%s AND %s", where, condition);
}

/* ---------------------------------------------------------------- updateVector */

static bool read_update(struct turn *turn, struct change *change)
{
	struct call *call = change->call;
	const struct datum *update = datum_field(call->request, VECTORS_UPDATE_VECTOR__UPDATE);
	const struct datum *vector = datum_field(update, VECTORS_VECTOR_UPDATE__VECTOR);
	const struct datum *metadata = datum_field(update, VECTORS_VECTOR_UPDATE__METADATA);

	if (!datum_is_null(vector) &&
		!vectors_embedding_read(turn, call, vector, "update.vector", &change->vector))
		return false;
	if (!vectors_metadata(turn, call, metadata, "update.metadata", &change->metadata))
		return false;
	if (!datum_is_null(&change->vector) || !datum_is_null(&change->metadata))
		return true;
	return fail_input(turn, call, "NO_UPDATES", "No updates provided");
}

/* An id of no characters counts as none. */
static bool read_update_target(struct turn *turn, struct change *change)
{
	struct call *call = change->call;
	const struct datum *id = datum_field(call->request, VECTORS_UPDATE_VECTOR__ID);

	change->id = !datum_is_null(id) && id->size ? id : &nothing;
	change->filter = datum_field(call->request, VECTORS_UPDATE_VECTOR__FILTER);
	if (!datum_is_null(change->id) && is_given(change->filter))
		return fail_input(turn, call, "MUTUALLY_EXCLUSIVE",
			"Cannot provide both id and filter: they are mutually exclusive");
	if (datum_is_null(change->id) && !is_given(change->filter))
		return fail_input(turn, call, "NO_TARGET", "Either id or filter must be provided");
	if (datum_is_null(change->id) && !vectors_filter_given(change->filter))
		return fail_input(turn, call, "EMPTY_FILTER", "Cannot update with empty filter");
	return binding_text_ok(turn, call, change->id, "id");
}

static const char *bind_set(struct turn *turn, const struct change *change,
	const struct vectors_index *index)
{
	const char *set = "";

	if (!datum_is_null(&change->vector)) {
		vectors_embedding_bind(turn->params, index->type, &change->vector);
		set = arena_printf(turn->arena, "embedding = $1::%s",
			vectors_type_sql(turn->arena, index));
	}
	if (datum_is_null(&change->metadata))
		return set;
	bind_jsonb(turn->params, &change->metadata);
	return arena_printf(turn->arena, "%s%smetadata = $%d::jsonb", set, *set ? ", " : "",
		params_count(turn->params));
}

static void update_described(struct turn *turn, const struct vectors_index *indexes, uint32_t count,
	void *arg)
{
	const struct change *change = arg;

	(void)count;
	if (!vectors_index_ok(turn, change->call, indexes))
		return;
	if (!datum_is_null(&change->vector) &&
		!vectors_embedding_fits(turn, change->call, indexes, &change->vector))
		return;
	const char *set = bind_set(turn, change, indexes);
	const char *where = bind_rows(turn, change, indexes);
	if (!where)
		return;
	turn_send_sql(turn,
		arena_printf(turn->arena, "UPDATE %s SET %s WHERE %s",
			vectors_table(turn->arena, indexes), set, where),
		NULL, NULL);
	call_reply_null(turn, change->call);
}

void vectors_update_vector(struct turn *turn)
{
	struct change *change = arena_calloc(turn->arena, 1, sizeof(*change));
	struct call *call = turn->calls[0];
	const struct datum *name = datum_field(call->request, VECTORS_UPDATE_VECTOR__INDEX_NAME);

	*change = (struct change){ .call = call, .ids = &nothing };
	if (vectors_name_ok(turn, call, name) &&
		vectors_namespace(turn, call,
			datum_field(call->request, VECTORS_UPDATE_VECTOR__NAMESPACE),
			&change->namespace) &&
		read_update_target(turn, change) && read_update(turn, change))
		vectors_describe(turn, name, 1, update_described, change);
}

/* ---------------------------------------------------------------- deleteVectors */

static void delete_described(struct turn *turn, const struct vectors_index *indexes, uint32_t count,
	void *arg)
{
	const struct change *change = arg;

	(void)count;
	if (!vectors_index_ok(turn, change->call, indexes))
		return;
	const char *where = bind_rows(turn, change, indexes);
	if (!where)
		return;
	turn_send_sql(turn,
		arena_printf(turn->arena, "DELETE FROM %s WHERE %s",
			vectors_table(turn->arena, indexes), where),
		NULL, NULL);
	call_reply_null(turn, change->call);
}

/* A namespace that is given by name may be emptied. */
static bool read_delete_target(struct turn *turn, struct change *change)
{
	struct call *call = change->call;
	const struct datum *namespace = datum_field(call->request,
		VECTORS_DELETE_VECTORS__NAMESPACE);

	change->ids = datum_field(call->request, VECTORS_DELETE_VECTORS__IDS);
	change->filter = datum_field(call->request, VECTORS_DELETE_VECTORS__FILTER);
	if (!datum_is_null(change->ids) && is_given(change->filter))
		return fail_input(turn, call, "MUTUALLY_EXCLUSIVE",
			"Cannot provide both filter and ids: they are mutually exclusive");
	if (!datum_is_null(change->ids) && !change->ids->size)
		return fail_input(turn, call, "EMPTY_IDS", "Cannot delete with empty ids array");
	if (is_given(change->filter) && !vectors_filter_given(change->filter))
		return fail_input(turn, call, "EMPTY_FILTER",
			"Cannot delete with empty filter: truncateIndex removes all vectors");
	if (datum_is_null(change->ids) && !is_given(change->filter) && datum_is_null(namespace))
		return fail_input(turn, call, "NO_TARGET",
			"Either filter or ids must be provided, unless a namespace is given");
	for (uint32_t i = 0; !datum_is_null(change->ids) && i < change->ids->size; i++)
		if (!binding_text_ok(turn, call, &change->ids->items[i], "ids"))
			return false;
	return true;
}

void vectors_delete_vectors(struct turn *turn)
{
	struct change *change = arena_calloc(turn->arena, 1, sizeof(*change));
	struct call *call = turn->calls[0];
	const struct datum *name = datum_field(call->request, VECTORS_DELETE_VECTORS__INDEX_NAME);

	*change = (struct change){ .call = call, .id = &nothing };
	if (vectors_name_ok(turn, call, name) &&
		vectors_namespace(turn, call,
			datum_field(call->request, VECTORS_DELETE_VECTORS__NAMESPACE),
			&change->namespace) &&
		read_delete_target(turn, change))
		vectors_describe(turn, name, 1, delete_described, change);
}

/* ---------------------------------------------------------------- deleteVector */

struct deletes {
	struct change *changes;
	uint32_t *index; /* of each change: number of its index's name */
	size_t count;
};

static void each_described(struct turn *turn, const struct vectors_index *indexes, uint32_t count,
	void *arg)
{
	const struct deletes *all = arg;

	(void)count;
	for (size_t i = 0; i < all->count; i++)
		delete_described(turn, &indexes[all->index[i]], 1, &all->changes[i]);
}

static bool read_delete(struct turn *turn, struct call *call, struct change *change)
{
	*change = (struct change){ .call = call,
		.id = datum_field(call->request, VECTORS_DELETE_VECTOR__ID),
		.ids = &nothing,
		.filter = &nothing };
	return vectors_name_ok(turn, call,
		       datum_field(call->request, VECTORS_DELETE_VECTOR__INDEX_NAME)) &&
		vectors_namespace(turn, call,
			datum_field(call->request, VECTORS_DELETE_VECTOR__NAMESPACE),
			&change->namespace) &&
		binding_text_ok(turn, call, change->id, "id");
}

void vectors_delete_vector(struct turn *turn)
{
	struct deletes *all = arena_calloc(turn->arena, 1, sizeof(*all));
	struct keys *keys = keys_new(turn->arena, 1);

	all->changes = arena_alloc(turn->arena, turn->count * sizeof(*all->changes));
	all->index = arena_alloc(turn->arena, turn->count * sizeof(*all->index));
	for (size_t i = 0; i < turn->count; i++) {
		struct call *call = turn->calls[i];
		if (!read_delete(turn, call, &all->changes[all->count]))
			continue;
		all->index[all->count++] = keys_add(keys,
			datum_field(call->request, VECTORS_DELETE_VECTOR__INDEX_NAME));
	}
	if (!all->count)
		return;
	struct datum *names = arena_alloc(turn->arena, keys_count(keys) * sizeof(*names));
	for (uint32_t i = 0; i < keys_count(keys); i++)
		names[i] = *keys_text(keys, i);
	vectors_describe(turn, names, keys_count(keys), each_described, all);
}
