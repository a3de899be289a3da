/* Commands for methods that the reference declares and does not implement. */
#include "commands.gen.h"
#include "handlers/core/context.h"

void unsupported(struct turn *turn)
{
	struct call *call = turn->calls[0];

	call_fail(turn, call, FAILURE_UNSUPPORTED, "NOT_IMPLEMENTED_BY_REFERENCE", NULL,
		"%s is not served: the reference has no implementation of it for PostgreSQL",
		call->command->name);
}
