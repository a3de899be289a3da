/* generic.c - the handler of commands that name none: it follows their declaration */
#include "handlers/core/binding.h"
#include "handlers/core/context.h"
#include "handlers/core/reply.h"
#include "handlers/core/stored_json.h"

#include <string.h>

static bool generic_found_nothing(const struct rows *rows)
{
	return rows_columns(rows) > 0 ? rows_count(rows) == 0 : rows_affected(rows) == 0;
}

static void generic_reply(struct context *ctx, const struct rows *rows, void *arg)
{
	struct call *call = arg;
	const struct type *type = reply_result_type(call);

	if (call->command->missing_code && generic_found_nothing(rows)) {
		reply_missing(ctx, call);
		return;
	}
	switch (call->command->shape) {
	case REPLY_ROW:
		if (rows_count(rows))
			call_reply(ctx, call, stored_row(ctx, rows, 0, type));
		else
			call_reply_null(ctx, call);
		return;
	case REPLY_ROWS:
		call_reply(ctx, call, stored_rows(ctx, rows, type->item));
		return;
	case REPLY_VALUE:
		call_reply(ctx, call, stored_value(ctx, rows, type));
		return;
	case REPLY_NONE:
	case REPLY_CUSTOM:
		break;
	}
	call_reply_null(ctx, call);
}

static bool generic_bind(struct context *ctx, struct call *call, const struct param_def *param)
{
	if (strcmp(param->path, "@now") == 0) {
		params_timestamp_us(ctx->params, call->now_us);
		return true;
	}
	const struct datum *value = binding_path(call, param->path, NULL);
	return bind_typed(ctx, call, value, param->type, param->path);
}

static void generic_call(struct context *ctx, struct call *call)
{
	const struct statement_def *statement = &statement_defs[call->command->statement];

	for (int i = 0; i < statement->param_count; i++) {
		if (!generic_bind(ctx, call, &statement->params[i])) {
			params_reset(ctx->params);
			return;
		}
	}
	if (call->command->shape == REPLY_ROWS)
		context_bound(ctx, call);
	context_send(ctx, call->command->statement, generic_reply, call);
}

void handle_generic(struct context *ctx)
{
	for (size_t i = 0; i < ctx->count; i++)
		generic_call(ctx, ctx->calls[i]);
}
