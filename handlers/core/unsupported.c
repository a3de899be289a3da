/* unsupported.c - the handler of methods that the reference declares but does not implement */
#include "commands.gen.h"
#include "handlers/core/context.h"

void unsupported(struct context *ctx)
{
	struct call *call = ctx->calls[0];

	call_fail(ctx, call, FAILURE_UNSUPPORTED, "NOT_IMPLEMENTED_BY_REFERENCE", NULL,
		"%s is not supported: the reference does not implement it for PostgreSQL",
		call->command->name);
}
