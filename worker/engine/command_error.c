/* command_error.c - from SQLSTATEs to the codes and categories of errors */
#include "worker/engine/command_error.h"

#include <string.h>

#include "handlers/core/context_engine.h"
#include "worker/engine/tenant_check.h"

/* Errors in SQL that a client wrote (class 42) are the client's. */
static enum failure_category sqlstate_category(const struct call *call, const char *sqlstate)
{
	if ((call->command->flags & COMMAND_DIRECT) && strncmp(sqlstate, "42", 2) == 0)
		return FAILURE_INVALID;
	static const char *const invalid[] = { "22", "53", "54" };
	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++)
		if (strncmp(sqlstate, invalid[i], 2) == 0)
			return FAILURE_INVALID;
	if (strncmp(sqlstate, "23", 2) == 0)
		return FAILURE_CONFLICT;
	return strcmp(sqlstate, "57014") == 0 ? FAILURE_TIMEOUT : FAILURE_INTERNAL;
}

void command_error_fail(const struct engine *engine, struct context *ctx,
	const struct db_failure *failure)
{
	bool pattern = strcmp(failure->sqlstate, "2201B") == 0; /* invalid regular expression */
	if (tenant_fail(engine, ctx, failure))
		return;
	const char *details = arena_printf(ctx->arena, "{\"sqlstate\":\"%s\"}", failure->sqlstate);
	for (size_t i = 0; i < ctx->count; i++) {
		struct call *call = ctx->calls[i];
		if (strcmp(failure->sqlstate, DB_ROWS_TOO_LARGE) == 0)
			context_fail_over(ctx, call);
		else if (pattern && call->patterns)
			call_fail_at(ctx, call, "INVALID_FILTER", call->patterns, failure->message);
		else
			call_fail(ctx, call, sqlstate_category(call, failure->sqlstate),
				"DATABASE_ERROR", details, "%s", failure->message);
	}
}
