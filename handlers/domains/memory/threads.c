/* threads.c - memory.saveThread and memory.deleteThread */
#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/context.h"
#include "handlers/core/keys.h"
#include "handlers/core/stored_json.h"
#include "schemas/json/json.h"

/* ---------------------------------------------------------------- saveThread */

/* The last of several calls with one thread id wins, as if they had run one by one. */
struct saved_thread {
	const struct datum *thread;
	struct datum metadata; /* as the column stores it */
};

static bool threads_check(struct context *ctx, struct call *call, const struct datum *thread,
	struct datum *metadata)
{
	const struct datum *title = datum_field(thread, MEMORY_THREAD__TITLE);

	if (datum_is_null(title)) {
		call_fail(ctx, call, FAILURE_INVALID, "TITLE_REQUIRED", NULL,
			"A thread can't be saved without a title");
		return false;
	}
	return binding_text_ok(ctx, call, datum_field(thread, MEMORY_THREAD__ID), "thread.id") &&
		binding_text_ok(ctx, call, title, "thread.title") &&
		binding_text_ok(ctx, call, datum_field(thread, MEMORY_THREAD__RESOURCE_ID),
			"thread.resourceId") &&
		binding_time_ok(ctx, call, datum_field(thread, MEMORY_THREAD__CREATED_AT),
			"thread.createdAt") &&
		binding_time_ok(ctx, call, datum_field(thread, MEMORY_THREAD__UPDATED_AT),
			"thread.updatedAt") &&
		binding_json(ctx, call, datum_field(thread, MEMORY_THREAD__METADATA),
			"thread.metadata", metadata) &&
		stored_json_ok(ctx, call, metadata, "thread.metadata");
}

/* Replies the given thread, with its metadata as stored. */
static void threads_reply(struct context *ctx, struct call *call, const struct datum *thread,
	struct datum metadata)
{
	struct datum *fields = arena_calloc(ctx->arena, MEMORY_THREAD_SIZE, sizeof(*fields));

	if (!call->wants_reply) {
		call_reply_null(ctx, call);
		return;
	}
	memcpy(fields, thread->items, MEMORY_THREAD_SIZE * sizeof(*fields));
	fields[MEMORY_THREAD__METADATA] = json_kind(json_of(&metadata)) == JSON_NULL_KIND
		? datum_null()
		: metadata;
	call_reply(ctx, call, datum_record(fields, MEMORY_THREAD_SIZE));
}

static void threads_bind(struct params *params, const struct keys *ids,
	const struct saved_thread *saved)
{
	const uint32_t *order = keys_sorted(ids);
	int id = params_array(params, ELEMENT_TEXT);
	int resource = params_array(params, ELEMENT_TEXT);
	int title = params_array(params, ELEMENT_TEXT);
	int metadata = params_array(params, ELEMENT_JSONB);
	int created = params_array(params, ELEMENT_TIMESTAMPTZ);
	int updated = params_array(params, ELEMENT_TIMESTAMPTZ);

	for (uint32_t i = 0; i < keys_count(ids); i++) {
		const struct saved_thread *row = &saved[order[i]];
		const struct datum *thread = row->thread;
		bind_element_text(params, id, datum_field(thread, MEMORY_THREAD__ID));
		bind_element_text(params, resource,
			datum_field(thread, MEMORY_THREAD__RESOURCE_ID));
		bind_element_text(params, title, datum_field(thread, MEMORY_THREAD__TITLE));
		bind_element_jsonb(params, metadata,
			json_is_falsy(json_of(&row->metadata)) ? NULL : &row->metadata);
		array_timestamp_ms(params, created,
			datum_field(thread, MEMORY_THREAD__CREATED_AT)->integer);
		array_timestamp_ms(params, updated,
			datum_field(thread, MEMORY_THREAD__UPDATED_AT)->integer);
	}
}

void memory_save_thread(struct context *ctx)
{
	struct keys *ids = keys_new(ctx->arena, (uint32_t)ctx->count);
	struct saved_thread *saved = arena_calloc(ctx->arena, ctx->count, sizeof(*saved));

	for (size_t i = 0; i < ctx->count; i++) {
		struct call *call = ctx->calls[i];
		const struct datum *thread = datum_field(call->request, MEMORY_SAVE_THREAD__THREAD);
		struct datum metadata;
		if (!threads_check(ctx, call, thread, &metadata))
			continue;
		uint32_t number = keys_add(ids, datum_field(thread, MEMORY_THREAD__ID));
		saved[number] = (struct saved_thread){ thread, metadata };
		threads_reply(ctx, call, thread, metadata);
	}
	if (!keys_count(ids))
		return;
	threads_bind(ctx->params, ids, saved);
	context_send(ctx, SQL_MEMORY_SAVE_THREAD, NULL, NULL);
}

/* ---------------------------------------------------------------- deleteThread */

/* Fails the call if the worker's role may not delete from one of the tables: rows that are forbidden
 * come first, so the first one tells. */
static bool threads_check_vectors(struct context *ctx, struct call *call, const struct rows *rows)
{
	size_t len = 0;

	if (!rows_count(rows) || !rows_bool(rows, 0, 1))
		return true;
	const char *table = rows_text(rows, 0, 0, &len);
	call_fail(ctx, call, FAILURE_INTERNAL, "VECTORS_NOT_DELETABLE", NULL,
		"%.*s may hold embeddings of the thread, but the worker's role may not delete from it: "
		"grant the role SELECT and DELETE on the table",
		(int)len, table);
	return false;
}

/* Each row is a vector table: its quoted name, and whether the role may not delete from it. */
static void threads_delete_vectors(struct context *ctx, const struct rows *rows, void *arg)
{
	struct call *call = arg;
	const struct datum *thread_id = datum_field(call->request, MEMORY_DELETE_THREAD__THREAD_ID);

	if (!threads_check_vectors(ctx, call, rows))
		return;
	for (int i = 0; i < rows_count(rows); i++) {
		size_t len = 0;
		const char *table = rows_text(rows, i, 0, &len);
		bind_text(ctx->params, thread_id);
		context_send_sql(ctx,
			arena_printf(ctx->arena,
				"DELETE FROM :\"schema\".%.*s WHERE metadata->>'thread_id' = $1::text",
				(int)len, table),
			NULL, NULL);
	}
	call_reply_null(ctx, call);
}

void memory_delete_thread(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *thread_id = datum_field(call->request, MEMORY_DELETE_THREAD__THREAD_ID);

	if (!binding_text_ok(ctx, call, thread_id, "threadId"))
		return;
	bind_text(ctx->params, thread_id);
	params_text(ctx->params, ctx->schema, strlen(ctx->schema));
	context_send(ctx, SQL_MEMORY_DELETE_THREAD, threads_delete_vectors, call);
}
