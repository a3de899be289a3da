/* The handler of commands that name none: their declaration says all. */
#include "handlers/core/binding.h"
#include "handlers/core/context.h"
#include "handlers/core/reply.h"
#include "handlers/core/stored_json.h"

#include <string.h>

static bool nothing_found(const struct rows *rows)
{
	return rows_columns(rows) > 0 ? rows_count(rows) == 0 : rows_affected(rows) == 0;
}

static void generic_done(struct turn *turn, const struct rows *rows, void *arg)
{
	struct call *call = arg;
	const struct type *type = reply_result_type(call);

	if (call->command->missing_code && nothing_found(rows)) {
		reply_missing(turn, call);
		return;
	}
	switch (call->command->shape) {
	case REPLY_ROW:
		if (rows_count(rows))
			call_reply(turn, call, stored_row(turn, rows, 0, type));
		else
			call_reply_null(turn, call);
		return;
	case REPLY_ROWS:
		call_reply(turn, call, stored_rows(turn, rows, type->item));
		return;
	case REPLY_VALUE:
		call_reply(turn, call, stored_value(turn, rows, type));
		return;
	case REPLY_NONE:
	case REPLY_CUSTOM:
		break;
	}
	call_reply_null(turn, call);
}

static bool bind_declared(struct turn *turn, struct call *call, const struct param_def *param)
{
	if (strcmp(param->path, "@now") == 0) {
		params_timestamp_ms(turn->params, call->now_ms);
		return true;
	}
	const struct datum *value = binding_path(call, param->path, NULL);
	return bind_typed(turn, call, value, param->type, param->path);
}

static void generic_call(struct turn *turn, struct call *call)
{
	const struct statement_def *statement = &statement_defs[call->command->statement];

	for (int i = 0; i < statement->param_count; i++) {
		if (!bind_declared(turn, call, &statement->params[i])) {
			params_reset(turn->params);
			return;
		}
	}
	if (call->command->shape == REPLY_ROWS)
		turn_bound(turn, call);
	turn_send(turn, call->command->statement, generic_done, call);
}

void handle_generic(struct turn *turn)
{
	for (size_t i = 0; i < turn->count; i++)
		generic_call(turn, turn->calls[i]);
}
