/* observational_get.c - memory.getObservationalMemory and getObservationalMemoryHistory */
#include "handlers/domains/memory/observational.h"

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/datum_json.h"
#include "handlers/core/reply.h"
#include "handlers/core/stored_json.h"

/* ---------------------------------------------------------------- getObservationalMemory */

/* The statement returns the chunks as JSON text in the column `chunks`; they become records. */
static struct datum observational_read_record(struct context *ctx, const struct rows *rows, int row,
	const struct type *type)
{
	struct datum record = stored_row(ctx, rows, row, type);
	int column = rows_column(rows, "chunks");
	const unsigned field = MEMORY_OBSERVATIONAL_MEMORY_RECORD__BUFFERED_OBSERVATION_CHUNKS;
	struct json chunks;

	if (!rows_null(rows, row, column)) {
		chunks.text = rows_text(rows, row, column, &chunks.len);
		record.items[field] = datum_from_json(ctx->arena, type->fields[field].type, chunks);
	}
	return record;
}

static void observational_reply_record(struct context *ctx, const struct rows *rows, void *arg)
{
	struct call *call = arg;

	if (rows_count(rows))
		call_reply(ctx, call,
			observational_read_record(ctx, rows, 0, reply_result_type(call)));
	else
		call_reply_null(ctx, call);
}

void memory_get_observational_memory(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *thread = datum_field(call->request,
		MEMORY_GET_OBSERVATIONAL_MEMORY__THREAD_ID);
	const struct datum *resource = datum_field(call->request,
		MEMORY_GET_OBSERVATIONAL_MEMORY__RESOURCE_ID);

	if (!binding_text_ok(ctx, call, thread, "threadId") ||
		!binding_text_ok(ctx, call, resource, "resourceId"))
		return;
	bind_text(ctx->params, thread);
	bind_text(ctx->params, resource);
	context_send(ctx, SQL_MEMORY_GET_OBSERVATIONAL_MEMORY, observational_reply_record, call);
}

/* ---------------------------------------------------------------- getObservationalMemoryHistory */

static void observational_reply_history(struct context *ctx, const struct rows *rows, void *arg)
{
	struct call *call = arg;
	const struct type *type = reply_result_type(call)->item;
	int count = rows_count(rows);
	struct datum *records = arena_calloc(ctx->arena, (size_t)count + 1, sizeof(*records));

	for (int i = 0; i < count; i++)
		records[i] = observational_read_record(ctx, rows, i, type);
	call_reply(ctx, call, datum_array(records, (uint32_t)count));
}

static bool observational_not_negative(struct context *ctx, struct call *call,
	const struct datum *number, const char *name)
{
	if (!number || datum_is_null(number) || number->integer >= 0)
		return true;
	call_fail(ctx, call, FAILURE_INVALID, "INVALID_NUMBER", NULL, "%s must be >= 0", name);
	return false;
}

void memory_get_observational_memory_history(struct context *ctx)
{
	static const struct {
		const char *path;
		const char *pg_type;
	} given[] = {
		{ "threadId", "text" },
		{ "resourceId", "text" },
		{ "options.from", "timestamptz" },
		{ "options.to", "timestamptz" },
		{ "limit", "int4" },
		{ "options.offset", "int4" },
	};
	struct call *call = ctx->calls[0];

	if (!observational_not_negative(ctx, call, binding_path(call, "limit", NULL), "limit") ||
		!observational_not_negative(ctx, call, binding_path(call, "options.offset", NULL),
			"options.offset"))
		return;
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		const struct datum *value = binding_path(call, given[i].path, NULL);
		if (!bind_typed(ctx, call, value, given[i].pg_type, given[i].path)) {
			params_reset(ctx->params);
			return;
		}
	}
	context_bound(ctx, call);
	context_send(ctx, SQL_MEMORY_GET_OBSERVATIONAL_MEMORY_HISTORY, observational_reply_history,
		call);
}
