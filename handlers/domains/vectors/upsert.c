/*
 * vectors.upsert: vectors with their ids and metadata, several commands in one statement
 *
 * A turn may name several indexes: one statement on the catalog for all of them, unless all are
 * noted from earlier turns (vectors_note.h), then index by index, in the order of their names, the
 * commands in theirs.
 */
#include <string.h>

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/keys.h"
#include "handlers/core/reply.h"
#include "handlers/domains/vectors/embedding.h"
#include "handlers/domains/vectors/filter.h"
#include "handlers/domains/vectors/index.h"
#include "handlers/domains/vectors/note.h"
#include "schemas/base/uuid.h"
#include "schemas/json/json.h"

/* Of embeddings and metadata in one statement: more is dearer, it does not stay in the caches. */
#define STATEMENT_BYTES ((size_t)640 * 1024)

/* One command, checked as far as it can be without its table. */
struct upsert {
	struct call *call;
	uint32_t index;        /* number of its index's name */
	struct datum *vectors; /* as DATUM_FLOATS, `count` of them */
	uint32_t count;
	struct datum *ids;
	struct datum *metadata; /* as it is stored */
	struct datum namespace;
};

struct upsert_turn {
	struct upsert *upserts;
	size_t count;
	struct datum *names; /* of the indexes, in their order */
};

/* A row that is to be written; of rows with the same key the last one. */
struct upsert_row {
	struct datum namespace;
	struct datum id;
	struct datum metadata;
	const struct datum *floats;
};

/* What of one index is written by the next statement. */
struct upsert_group {
	const struct vectors_index *index;
	struct keys *keys;
	struct upsert_row *rows; /* by number of the key */
	uint32_t room;
};

/* ---------------------------------------------------------------- what a command gives */

static bool lengths_ok(struct turn *turn, struct call *call, const struct datum *vectors,
	const struct datum *ids, const struct datum *metadata)
{
	const char *code = NULL;

	if (!vectors->size)
		code = "EMPTY_VECTORS";
	else if (!datum_is_null(ids) && ids->size != vectors->size)
		code = "IDS_LENGTH_MISMATCH";
	else if (!datum_is_null(metadata) && metadata->size && metadata->size != vectors->size)
		code = "METADATA_LENGTH_MISMATCH"; /* an empty one counts as none */
	if (!code)
		return true;
	call_fail(turn, call, FAILURE_INVALID, code, NULL,
		"vectors can't be empty, and ids and metadata must have their length (%u): there are "
		"%u ids and %u metadata",
		vectors->size, datum_is_null(ids) ? 0 : ids->size,
		datum_is_null(metadata) ? 0 : metadata->size);
	return false;
}

static bool take_ids(struct turn *turn, struct upsert *upsert, const struct datum *given)
{
	upsert->ids = arena_alloc(turn->arena, upsert->count * sizeof(*upsert->ids));
	for (uint32_t i = 0; i < upsert->count; i++) {
		if (datum_is_null(given)) {
			char *made = arena_alloc(turn->arena, UUID_TEXT_SIZE);
			uuid_v4(made);
			upsert->ids[i] = datum_string(made);
			continue;
		}
		if (!binding_text_ok(turn, upsert->call, &given->items[i], "ids"))
			return false;
		upsert->ids[i] = given->items[i];
	}
	return true;
}

static bool take_metadata(struct turn *turn, struct upsert *upsert, const struct datum *given)
{
	upsert->metadata = arena_alloc(turn->arena, upsert->count * sizeof(*upsert->metadata));
	for (uint32_t i = 0; i < upsert->count; i++) {
		struct datum *out = &upsert->metadata[i];
		*out = datum_null();
		if (!datum_is_null(given) && given->size &&
			!vectors_metadata(turn, upsert->call, &given->items[i], "metadata", out))
			return false;
		if (datum_is_null(out))
			*out = datum_string("{}");
	}
	return true;
}

static bool take_vectors(struct turn *turn, struct upsert *upsert, const struct datum *given)
{
	upsert->count = given->size;
	upsert->vectors = arena_alloc(turn->arena, given->size * sizeof(*upsert->vectors));
	for (uint32_t i = 0; i < given->size; i++)
		if (!vectors_embedding_read(turn, upsert->call, &given->items[i], "vectors",
			    &upsert->vectors[i]))
			return false;
	return true;
}

static bool take_upsert(struct turn *turn, struct call *call, struct upsert *out)
{
	const struct datum *request = call->request;
	const struct datum *vectors = datum_field(request, VECTORS_UPSERT__VECTORS);
	const struct datum *ids = datum_field(request, VECTORS_UPSERT__IDS);
	const struct datum *metadata = datum_field(request, VECTORS_UPSERT__METADATA);

	*out = (struct upsert){ .call = call };
	if (!vectors_name_ok(turn, call, datum_field(request, VECTORS_UPSERT__INDEX_NAME)) ||
		!lengths_ok(turn, call, vectors, ids, metadata) ||
		!vectors_namespace(turn, call, datum_field(request, VECTORS_UPSERT__NAMESPACE),
			&out->namespace))
		return false;
	return take_vectors(turn, out, vectors) && take_ids(turn, out, ids) &&
		take_metadata(turn, out, metadata);
}

/* ---------------------------------------------------------------- rows of one index */

/* A row's key: a namespace can't hold the NUL that ends it. */
static struct datum *row_key(struct arena *arena, const struct datum *namespace,
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

static void add_row(struct turn *turn, struct upsert_group *group, struct upsert_row row)
{
	uint32_t number = keys_add(group->keys, row_key(turn->arena, &row.namespace, &row.id));

	if (number >= group->room) {
		uint32_t room = group->room ? 2 * group->room : 64;
		struct upsert_row *grown = arena_alloc(turn->arena, room * sizeof(*grown));
		if (group->room)
			memcpy(grown, group->rows, group->room * sizeof(*grown));
		group->rows = grown;
		group->room = room;
	}
	group->rows[number] = row;
}

/* Binds rows from number `at` of the order on, as many as one statement takes; returns the next. */
static uint32_t bind_rows(struct turn *turn, const struct upsert_group *group,
	const uint32_t *order, uint32_t at)
{
	size_t bytes = 0;
	struct params *params = turn->params;
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

/* unnest as a target makes the rows one by one; in FROM it would store each once more. */
static const char *insert_sql(struct turn *turn, const struct vectors_index *index)
{
	return arena_printf(turn->arena,
		"INSERT INTO %s (vector_id, embedding, metadata, namespace) "
		"SELECT unnest($1::text[]), unnest($2::%s[]), unnest($3::jsonb[]), unnest($4::text[])",
		vectors_table(turn->arena, index), vectors_type_sql(turn->arena, index));
}

static const char *upsert_sql(struct turn *turn, const struct vectors_index *index)
{
	return arena_printf(turn->arena,
		"%s ON CONFLICT (namespace, vector_id) DO UPDATE "
		"SET embedding = EXCLUDED.embedding, metadata = EXCLUDED.metadata",
		insert_sql(turn, index));
}

/* For rows that are expected to be new: one that is there fails it. Unless they are unique by their
 * ids, PostgreSQL does not plan the INSERT of nothing. */
static const char *new_sql(struct turn *turn, const struct vectors_index *index)
{
	return arena_printf(turn->arena,
		"WITH guard AS (INSERT INTO %s (vector_id) SELECT NULL WHERE false "
		"ON CONFLICT (namespace, vector_id) DO NOTHING) %s",
		vectors_table(turn->arena, index), insert_sql(turn, index));
}

/* Entries of a graph, or of lists, are dear to make, and stay there dead if they are undone. */
static bool are_new(struct turn *turn, const struct upsert_group *group)
{
	if (group->index->method == VECTORS_FLAT)
		return turn_expect_new(turn, group->index->name, keys_count(group->keys));
	turn_costly(turn);
	return false;
}

static void send_rows(struct turn *turn, struct upsert_group *group)
{
	if (!group->keys || !keys_count(group->keys))
		return;
	const char *sql = are_new(turn, group) ? new_sql(turn, group->index)
					       : upsert_sql(turn, group->index);
	const uint32_t *order = keys_sorted(group->keys);
	for (uint32_t at = 0; at < keys_count(group->keys);) {
		at = bind_rows(turn, group, order, at);
		turn_send_sql(turn, sql, NULL, NULL);
	}
	group->keys = NULL;
}

/* Rows that the filter matches go before the command's own come. False: the call has failed. */
static bool send_delete(struct turn *turn, struct upsert_group *group, const struct upsert *upsert)
{
	const struct datum *filter = datum_field(upsert->call->request,
		VECTORS_UPSERT__DELETE_FILTER);
	const char *where;

	if (!vectors_filter_given(filter))
		return true;
	send_rows(turn, group);
	bind_text(turn->params, &upsert->namespace);
	if (!vectors_filter(turn, upsert->call, filter->text, filter->size, "deleteFilter",
		    &where)) {
		params_reset(turn->params);
		return false;
	}
	if (strcmp(where, "TRUE") == 0) { /* no condition: nothing is deleted */
		params_reset(turn->params);
		return true;
	}
	turn_send_sql(turn,
		arena_printf(turn->arena, "DELETE FROM %s WHERE namespace = $1::text AND %s",
			vectors_table(turn->arena, group->index), where),
		NULL, NULL);
	return true;
}

static bool fits(struct turn *turn, const struct vectors_index *index, const struct upsert *upsert)
{
	if (!vectors_index_ok(turn, upsert->call, index))
		return false;
	for (uint32_t i = 0; i < upsert->count; i++)
		if (!vectors_embedding_fits(turn, upsert->call, index, &upsert->vectors[i]))
			return false;
	return true;
}

static void apply(struct turn *turn, struct upsert_group *group, const struct upsert *upsert)
{
	if (!fits(turn, group->index, upsert))
		return;
	if (!send_delete(turn, group, upsert))
		return;
	if (!group->keys)
		group->keys = keys_new(turn->arena, upsert->count);
	for (uint32_t i = 0; i < upsert->count; i++)
		add_row(turn, group,
			(struct upsert_row){ upsert->namespace, upsert->ids[i], upsert->metadata[i],
				&upsert->vectors[i] });
	call_reply(turn, upsert->call, datum_array(upsert->ids, upsert->count));
}

/* ---------------------------------------------------------------- a turn */

static void write_index(struct turn *turn, const struct upsert_turn *all, uint32_t number,
	const struct vectors_index *index)
{
	struct upsert_group group = { .index = index };

	for (size_t i = 0; i < all->count; i++)
		if (all->upserts[i].index == number)
			apply(turn, &group, &all->upserts[i]);
	send_rows(turn, &group);
}

static void described(struct turn *turn, const struct vectors_index *indexes, uint32_t count,
	void *arg)
{
	for (uint32_t i = 0; i < count; i++) {
		if (indexes[i].exists) {
			vectors_note_put(turn, &indexes[i], NULL);
			vectors_index_migrate(turn, &indexes[i]);
		}
		write_index(turn, arg, i, &indexes[i]);
	}
}

static void describe(struct turn *turn, struct upsert_turn *all, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		vectors_note_drop(turn, &all->names[i]);
	vectors_describe(turn, all->names, count, described, all);
}

/* By what is noted of the indexes. False: not of all, or a vector does not fit one of them, which
 * only its table can tell for certain; nothing is sent. */
static bool guess(struct turn *turn, const struct upsert_turn *all, uint32_t count)
{
	struct vectors_index *indexes = arena_alloc(turn->arena, count * sizeof(*indexes));

	for (uint32_t i = 0; i < count; i++)
		if (!vectors_note_find_table(turn, &all->names[i], &indexes[i]))
			return false;
	for (size_t i = 0; i < all->count; i++)
		if (!fits(turn, &indexes[all->upserts[i].index], &all->upserts[i]))
			return false;
	for (uint32_t i = 0; i < count; i++)
		write_index(turn, all, i, &indexes[i]);
	return true;
}

/* Each command's number becomes that of its index in the order of the names. */
static void number_indexes(struct turn *turn, struct upsert_turn *all, struct keys *keys)
{
	const uint32_t *order = keys_sorted(keys);
	uint32_t *place = arena_alloc(turn->arena, keys_count(keys) * sizeof(*place));

	all->names = arena_alloc(turn->arena, keys_count(keys) * sizeof(*all->names));
	for (uint32_t i = 0; i < keys_count(keys); i++) {
		all->names[i] = *keys_text(keys, order[i]);
		place[order[i]] = i;
	}
	for (size_t i = 0; i < all->count; i++)
		all->upserts[i].index = place[all->upserts[i].index];
}

void vectors_upsert(struct turn *turn)
{
	struct upsert_turn *all = arena_calloc(turn->arena, 1, sizeof(*all));
	struct keys *keys = keys_new(turn->arena, 1);

	all->upserts = arena_alloc(turn->arena, turn->count * sizeof(*all->upserts));
	for (size_t i = 0; i < turn->count; i++) {
		struct call *call = turn->calls[i];
		struct upsert *upsert = &all->upserts[all->count];
		if (!take_upsert(turn, call, upsert))
			continue;
		upsert->index = keys_add(keys,
			datum_field(call->request, VECTORS_UPSERT__INDEX_NAME));
		all->count++;
	}
	if (!all->count)
		return;
	number_indexes(turn, all, keys);
	if (!guess(turn, all, keys_count(keys)))
		describe(turn, all, keys_count(keys));
}
