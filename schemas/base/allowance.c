/* allowance.c - the jump out of work that needs more memory than it may take */
#include "schemas/base/allowance.h"

#include "schemas/base/alloc.h"

bool allowance_run(struct allowance *allowance, void (*work)(void *arg), void *arg)
{
	jmp_buf here;
	jmp_buf *outer = allowance->out;
	allowance->out = &here;
	if (setjmp(here)) {
		allowance->out = outer;
		return false;
	}
	work(arg);
	allowance->out = outer;
	return true;
}

_Noreturn void allowance_end(struct allowance *allowance)
{
	if (!allowance->out)
		alloc_end("work outside of allowance_run() exceeded its allowance: a defect");
	longjmp(*allowance->out, 1);
}
