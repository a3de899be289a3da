/* memory.getThreadById: the command that a conversation asks most, so a run of them is one query. */
#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/context.h"
#include "handlers/core/reply.h"
#include "handlers/core/stored_json.h"

static const struct datum *thread_id_of(const struct call *call)
{
	return datum_field(call->request, MEMORY_GET_THREAD_BY_ID__THREAD_ID);
}

static const struct datum *resource_id_of(const struct call *call)
{
	return datum_field(call->request, MEMORY_GET_THREAD_BY_ID__RESOURCE_ID);
}

static void got_one(struct turn *turn, const struct rows *rows, void *arg)
{
	struct call *call = arg;

	if (rows_count(rows))
		call_reply(turn, call, stored_row(turn, rows, 0, reply_result_type(call)));
	else
		call_reply_null(turn, call);
}

static void got_together(struct turn *turn, const struct rows *rows, void *arg)
{
	struct call **calls = arg;
	int place = rows_column(rows, "place");

	for (struct call **call = calls; *call; call++)
		call_reply_null(turn, *call);
	for (int i = 0; i < rows_count(rows); i++) {
		struct call *call = calls[rows_integer(rows, i, place) - 1];
		call_reply(turn, call, stored_row(turn, rows, i, reply_result_type(call)));
	}
}

static void get_one(struct turn *turn, struct call *call)
{
	bind_text(turn->params, thread_id_of(call));
	bind_text(turn->params, resource_id_of(call));
	turn_send(turn, SQL_MEMORY_GET_THREAD_BY_ID, got_one, call);
}

static void get_together(struct turn *turn, struct call **calls, size_t count)
{
	int ids = params_array(turn->params, ELEMENT_TEXT);
	int resources = params_array(turn->params, ELEMENT_TEXT);
	for (size_t i = 0; i < count; i++) {
		bind_element_text(turn->params, ids, thread_id_of(calls[i]));
		bind_element_text(turn->params, resources, resource_id_of(calls[i]));
	}
	turn_send(turn, SQL_MEMORY_GET_THREAD_BY_ID__TOGETHER, got_together, calls);
}

void memory_get_thread_by_id(struct turn *turn)
{
	/* With a NULL behind the last one, for whoever walks the answers. */
	struct call **calls = arena_calloc(turn->arena, turn->count + 1, sizeof(struct call *));
	size_t count = 0;

	for (size_t i = 0; i < turn->count; i++) {
		struct call *call = turn->calls[i];
		if (binding_text_ok(turn, call, thread_id_of(call), "threadId") &&
			binding_text_ok(turn, call, resource_id_of(call), "resourceId"))
			calls[count++] = call;
	}
	if (count == 1)
		get_one(turn, calls[0]);
	else if (count > 1)
		get_together(turn, calls, count);
}
