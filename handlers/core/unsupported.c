/* Commands for methods that the reference declares and does not implement. */
#include "commands.gen.h"
#include "handlers/core/context.h"

void unsupported(struct context *ctx)
{
	struct call *call = ctx->calls[0];

	call_fail(ctx, call, FAILURE_UNSUPPORTED, "NOT_IMPLEMENTED_BY_REFERENCE", NULL,
		"%s is not served: the reference has no implementation of it for PostgreSQL",
		call->command->name);
}
