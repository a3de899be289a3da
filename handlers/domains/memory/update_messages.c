/*
 * update_messages.c - memory.updateMessages
 *
 * `content` is a text column that keeps the order of its members; jsonb would not. So the handler
 * merges here instead of in SQL: one statement locks the rows, the next one stores the result.
 */
#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/keys.h"
#include "handlers/domains/memory/message.h"
#include "handlers/domains/memory/message_list.h"
#include "handlers/domains/memory/message_read.h"
#include "schemas/json/json.h"

struct updating {
	struct call *call;
	const struct datum *updates;
	struct keys *ids;
	const struct datum **first; /* by id: the first of its updates, the only one that counts */
};

static bool update_messages_check(struct context *ctx, struct call *call,
	const struct datum *update)
{
	const struct datum *content = datum_field(update, MEMORY_MESSAGE_UPDATE__CONTENT);
	enum json_kind kind = json_kind(json_of(content));

	if (kind != JSON_ABSENT && kind != JSON_NULL_KIND && kind != JSON_OBJECT_KIND) {
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_MESSAGE_CONTENT", NULL,
			"The content of an update must be an object, which is merged into the message's content");
		return false;
	}
	return binding_text_ok(ctx, call, datum_field(update, MEMORY_MESSAGE_UPDATE__ROLE),
		       "role") &&
		binding_text_ok(ctx, call, datum_field(update, MEMORY_MESSAGE_UPDATE__ID), "id") &&
		binding_text_ok(ctx, call, datum_field(update, MEMORY_MESSAGE_UPDATE__THREAD_ID),
			"threadId") &&
		binding_text_ok(ctx, call, datum_field(update, MEMORY_MESSAGE_UPDATE__RESOURCE_ID),
			"resourceId") &&
		binding_text_ok(ctx, call, datum_field(update, MEMORY_MESSAGE_UPDATE__TYPE),
			"type");
}

static bool update_messages_read_updates(struct context *ctx, struct updating *updating)
{
	const struct datum *updates = updating->updates;

	updating->ids = keys_new(ctx->arena, updates->size);
	updating->first = arena_calloc(ctx->arena, (size_t)updates->size + 1,
		sizeof(*updating->first));
	for (uint32_t i = 0; i < updates->size; i++) {
		const struct datum *update = &updates->items[i];
		if (!update_messages_check(ctx, updating->call, update))
			return false;
		uint32_t known = keys_count(updating->ids);
		uint32_t number = keys_add(updating->ids,
			datum_field(update, MEMORY_MESSAGE_UPDATE__ID));
		if (number == known)
			updating->first[number] = update;
	}
	return true;
}

/* ---------------------------------------------------------------- merging */

static bool update_messages_is_object(struct json value)
{
	return json_kind(value) == JSON_OBJECT_KIND;
}

/* { ...old, ...given }, and likewise for `metadata` if both have an object there. */
static struct json update_messages_merge(struct arena *arena, struct json old, struct json given)
{
	struct json old_metadata = json_get(old, "metadata");
	struct json given_metadata = json_get(given, "metadata");
	struct json merged = json_merge(arena, old, given);

	if (!update_messages_is_object(old_metadata) || !update_messages_is_object(given_metadata))
		return merged;
	return json_set(arena, merged, "metadata", json_merge(arena, old_metadata, given_metadata));
}

/* The content to merge into. Stored text becomes an object first, as the list methods return it. */
static struct json update_messages_old_content(struct context *ctx, const struct datum *message)
{
	struct json content = message_content(ctx->arena,
		datum_field(message, MEMORY_MESSAGE__CONTENT));

	if (json_kind(content) != JSON_STRING_KIND)
		return content;
	struct message_list *list = message_list_new(ctx->arena);
	message_list_add(list, message);
	struct datum shown = message_list_result(list);
	return shown.size ? json_of(datum_field(&shown.items[0], MEMORY_MESSAGE__CONTENT))
			  : (struct json){ 0 };
}

static struct datum update_messages_new_content(struct context *ctx, const struct datum *message,
	const struct datum *update)
{
	const struct datum *given = datum_field(update, MEMORY_MESSAGE_UPDATE__CONTENT);

	if (json_kind(json_of(given)) != JSON_OBJECT_KIND)
		return datum_null();
	struct datum normal = json_normal(ctx->arena, given);
	return json_datum(update_messages_merge(ctx->arena,
		update_messages_old_content(ctx, message), json_of(&normal)));
}

/* Does the update have a field other than its id? */
static bool update_messages_changes_anything(const struct datum *update)
{
	for (unsigned i = 0; i < MEMORY_MESSAGE_UPDATE_SIZE; i++)
		if (i != MEMORY_MESSAGE_UPDATE__ID && !datum_is_null(datum_field(update, i)))
			return true;
	return false;
}

/* ---------------------------------------------------------------- the statements */

static void update_messages_reply(struct context *ctx, const struct rows *rows, void *arg)
{
	struct call *call = arg;
	int count = rows_count(rows);
	struct datum *items = arena_calloc(ctx->arena, (size_t)count + 1, sizeof(*items));

	for (int i = 0; i < count; i++) {
		items[i] = message_of_row(ctx, rows, i);
		struct datum *fields = items[i].items;
		/* This method of the reference returns the type v2; the others omit it. */
		if (datum_is_null(&fields[MEMORY_MESSAGE__TYPE]))
			fields[MEMORY_MESSAGE__TYPE] = datum_string("v2");
		fields[MEMORY_MESSAGE__CONTENT] = json_datum(message_content(ctx->arena,
			&fields[MEMORY_MESSAGE__CONTENT]));
	}
	call_reply(ctx, call, datum_array(items, (uint32_t)count));
}

static void update_messages_add_thread(struct keys *threads, const struct datum *thread_id)
{
	if (!datum_is_null(thread_id) && thread_id->size)
		keys_add(threads, thread_id);
}

/* Binds the rows to change. `threads` gets the threads of these messages, old and new. False: the call
 * has failed. */
static bool update_messages_bind(struct context *ctx, const struct updating *updating,
	const struct rows *rows, struct keys *threads)
{
	struct params *params = ctx->params;
	int id = params_array(params, ELEMENT_TEXT);
	int thread = params_array(params, ELEMENT_TEXT);
	int content = params_array(params, ELEMENT_TEXT);
	int role = params_array(params, ELEMENT_TEXT);
	int type = params_array(params, ELEMENT_TEXT);
	int resource = params_array(params, ELEMENT_TEXT);

	for (int i = 0; i < rows_count(rows); i++) {
		struct datum message = message_of_row(ctx, rows, i);
		uint32_t number = keys_find(updating->ids,
			datum_field(&message, MEMORY_MESSAGE__ID));
		const struct datum *update = updating->first[number];
		if (!update_messages_changes_anything(update))
			continue;
		struct datum merged = update_messages_new_content(ctx, &message, update);
		if (!message_size_ok(ctx, updating->call, merged.size))
			return false;
		const struct datum *thread_id = datum_field(update,
			MEMORY_MESSAGE_UPDATE__THREAD_ID);
		bind_element_text(params, id, datum_field(&message, MEMORY_MESSAGE__ID));
		bind_element_text(params, thread, thread_id);
		bind_element_text(params, content, &merged);
		bind_element_text(params, role, datum_field(update, MEMORY_MESSAGE_UPDATE__ROLE));
		bind_element_text(params, type, datum_field(update, MEMORY_MESSAGE_UPDATE__TYPE));
		bind_element_text(params, resource,
			datum_field(update, MEMORY_MESSAGE_UPDATE__RESOURCE_ID));
		update_messages_add_thread(threads, &message.items[MEMORY_MESSAGE__THREAD_ID]);
		update_messages_add_thread(threads, thread_id);
	}
	return true;
}

static void update_messages_locked(struct context *ctx, const struct rows *rows, void *arg)
{
	struct updating *updating = arg;
	struct keys *threads = keys_new(ctx->arena, (uint32_t)rows_count(rows));

	if (!rows_count(rows)) {
		call_reply(ctx, updating->call, datum_array(NULL, 0));
		return;
	}
	if (!update_messages_bind(ctx, updating, rows, threads)) {
		params_reset(ctx->params);
		return;
	}
	int touched = params_array(ctx->params, ELEMENT_TEXT);
	for (uint32_t i = 0; i < keys_count(threads); i++)
		bind_element_text(ctx->params, touched, keys_text(threads, i));
	params_timestamp_us(ctx->params, updating->call->now_us);
	context_send(ctx, SQL_MEMORY_UPDATE_MESSAGES__CHANGE, NULL, NULL);
	int ids = params_array(ctx->params, ELEMENT_TEXT);
	for (uint32_t i = 0; i < keys_count(updating->ids); i++)
		bind_element_text(ctx->params, ids, keys_text(updating->ids, i));
	context_send(ctx, SQL_MEMORY_UPDATE_MESSAGES__RESULT, update_messages_reply,
		updating->call);
}

void memory_update_messages(struct context *ctx)
{
	struct updating *updating = arena_calloc(ctx->arena, 1, sizeof(*updating));

	updating->call = ctx->calls[0];
	updating->updates = datum_field(updating->call->request, MEMORY_UPDATE_MESSAGES__MESSAGES);
	if (!update_messages_read_updates(ctx, updating))
		return;
	int ids = params_array(ctx->params, ELEMENT_TEXT);
	for (uint32_t i = 0; i < keys_count(updating->ids); i++)
		bind_element_text(ctx->params, ids, keys_text(updating->ids, i));
	context_send(ctx, SQL_MEMORY_UPDATE_MESSAGES__LOCK, update_messages_locked, updating);
}
