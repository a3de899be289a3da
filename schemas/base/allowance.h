/*
 * allowance.h - how much memory a piece of work may take, and the way out when it needs more
 *
 * Work on input from clients runs inside of allowance_run(). Arenas and parameters that are charged to
 * the allowance count what they hand out. Beyond the limit, or if malloc fails, the work ends at once:
 * allowance_run() returns false, and the caller reports the failure of this work alone. So no code in
 * between has to check for memory.
 *
 * The work must own nothing but memory of arenas: nothing frees it on the way out. allowance_run() may
 * be nested, each call with the allowance of its own work.
 *
 * One thread at a time.
 */
#ifndef SCHEMAS_BASE_ALLOWANCE_H
#define SCHEMAS_BASE_ALLOWANCE_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>

struct allowance {
	size_t limit, used;       /* bytes */
	struct allowance *shared; /* also counts what this one takes; NULL: none */
	bool crowded;             /* it ended because others had used up the shared allowance */
	jmp_buf *out;             /* set while allowance_run() runs */
};

/* Runs work(arg) and returns true; false if it ended early. */
bool allowance_run(struct allowance *allowance, void (*work)(void *arg), void *arg)
	__attribute__((warn_unused_result));

/* Ends the work: its memory could not be had. Only inside of allowance_run(). */
_Noreturn void allowance_end(struct allowance *allowance);

/* Counts `bytes`, or ends the work. */
static inline void allowance_take(struct allowance *allowance, size_t bytes)
{
	struct allowance *shared = allowance->shared;
	if (bytes > allowance->limit - allowance->used)
		allowance_end(allowance);
	if (shared && bytes > shared->limit - shared->used) {
		allowance->crowded = true;
		allowance_end(allowance);
	}
	allowance->used += bytes;
	if (shared)
		shared->used += bytes;
}

static inline void allowance_give_back(struct allowance *allowance, size_t bytes)
{
	allowance->used -= bytes;
	if (allowance->shared)
		allowance->shared->used -= bytes;
}

#endif
