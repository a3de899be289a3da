/*
 * get_thread.c - memory.getThreadById
 *
 * Clients send it more often than any other command, so neighbouring calls share one query.
 */
#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/context.h"
#include "handlers/core/reply.h"
#include "handlers/core/stored_json.h"

static const struct datum *get_thread_thread_id_of(const struct call *call)
{
	return datum_field(call->request, MEMORY_GET_THREAD_BY_ID__THREAD_ID);
}

static const struct datum *get_thread_resource_id_of(const struct call *call)
{
	return datum_field(call->request, MEMORY_GET_THREAD_BY_ID__RESOURCE_ID);
}

static void get_thread_reply_one(struct context *ctx, const struct rows *rows, void *arg)
{
	struct call *call = arg;

	if (rows_count(rows))
		call_reply(ctx, call, stored_row(ctx, rows, 0, reply_result_type(call)));
	else
		call_reply_null(ctx, call);
}

static void get_thread_reply_all(struct context *ctx, const struct rows *rows, void *arg)
{
	struct call **calls = arg;
	int place = rows_column(rows, "place");

	for (struct call **call = calls; *call; call++)
		call_reply_null(ctx, *call);
	for (int i = 0; i < rows_count(rows); i++) {
		struct call *call = calls[rows_integer(rows, i, place) - 1];
		call_reply(ctx, call, stored_row(ctx, rows, i, reply_result_type(call)));
	}
}

static void get_thread_send_one(struct context *ctx, struct call *call)
{
	bind_text(ctx->params, get_thread_thread_id_of(call));
	bind_text(ctx->params, get_thread_resource_id_of(call));
	context_send(ctx, SQL_MEMORY_GET_THREAD_BY_ID, get_thread_reply_one, call);
}

static void get_thread_send_all(struct context *ctx, struct call **calls, size_t count)
{
	int ids = params_array(ctx->params, ELEMENT_TEXT);
	int resources = params_array(ctx->params, ELEMENT_TEXT);
	for (size_t i = 0; i < count; i++) {
		bind_element_text(ctx->params, ids, get_thread_thread_id_of(calls[i]));
		bind_element_text(ctx->params, resources, get_thread_resource_id_of(calls[i]));
	}
	context_send(ctx, SQL_MEMORY_GET_THREAD_BY_ID__TOGETHER, get_thread_reply_all, calls);
}

void memory_get_thread_by_id(struct context *ctx)
{
	/* One more than needed: a NULL ends the list for get_thread_reply_all. */
	struct call **calls = arena_calloc(ctx->arena, ctx->count + 1, sizeof(struct call *));
	size_t count = 0;

	for (size_t i = 0; i < ctx->count; i++) {
		struct call *call = ctx->calls[i];
		if (binding_text_ok(ctx, call, get_thread_thread_id_of(call), "threadId") &&
			binding_text_ok(ctx, call, get_thread_resource_id_of(call), "resourceId"))
			calls[count++] = call;
	}
	if (count == 1)
		get_thread_send_one(ctx, calls[0]);
	else if (count > 1)
		get_thread_send_all(ctx, calls, count);
}
