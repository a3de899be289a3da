/* generic.c - the handler of commands that name none: it follows their declaration */
#include "handlers/core/declared.h"

static void generic_reply(struct context *ctx, const struct rows *rows, void *arg)
{
	declared_reply(ctx, arg, rows, 0, rows_count(rows));
}

static bool generic_allowed(struct context *ctx, struct call *call)
{
	if (!(call->command->flags & COMMAND_CLEAR) || ctx->settings->allow_clear)
		return true;
	call_fail(ctx, call, FAILURE_UNSUPPORTED, "CLEAR_NOT_ALLOWED", NULL,
		"%s deletes all rows of the domain, so the worker refuses it unless "
		"storage.allowClear is true in its configuration",
		call->command->name);
	return false;
}

/* The last statement gives the result. The others are sent before it, such as a lock. */
static void generic_call(struct context *ctx, struct call *call)
{
	const struct command_def *command = call->command;
	int last = command->statement + command->statement_count - 1;

	if (!generic_allowed(ctx, call) || !declared_words_ok(ctx, call))
		return;
	for (int i = command->statement; i <= last; i++) {
		if (!declared_bind(ctx, call, i, NULL))
			return;
		if (i == last && (command->shape == REPLY_ROWS || command->shape == REPLY_MAP))
			context_bound(ctx, call);
		context_send(ctx, i, i == last ? generic_reply : NULL, call);
	}
}

void handle_generic(struct context *ctx)
{
	for (size_t i = 0; i < ctx->count; i++)
		generic_call(ctx, ctx->calls[i]);
}
