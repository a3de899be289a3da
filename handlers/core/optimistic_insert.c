/* optimistic_insert.c - counts how often inserts may assume that their rows are new */
#include "handlers/core/optimistic_insert.h"

/* With fewer rows the gain is not worth a failed attempt, for which a client may wait. */
#define ROWS_MIN 32
/* Duplicates arrive in bursts: a client sends again what it sent before. */
#define SKIP_MIN 100
#define SKIP_MAX 6400
#define SKIP_GROWTH 4
/* This many successful batches gain what one failure costs. */
#define SUCCEEDED_ENOUGH 50

bool optimistic_insert_allowed(struct optimistic_insert *inserts, size_t count)
{
	if (count < ROWS_MIN)
		return false;
	if (inserts->skip > 0) {
		inserts->skip--;
		return false;
	}
	return true;
}

static unsigned next_skip(const struct optimistic_insert *inserts)
{
	if (inserts->succeeded >= SUCCEEDED_ENOUGH || inserts->last_skip == 0)
		return SKIP_MIN;
	return inserts->last_skip < SKIP_MAX ? inserts->last_skip * SKIP_GROWTH : SKIP_MAX;
}

void optimistic_insert_failed(struct optimistic_insert *inserts)
{
	inserts->skip = inserts->last_skip = next_skip(inserts);
	inserts->succeeded = 0;
}

void optimistic_insert_succeeded(struct optimistic_insert *inserts)
{
	if (inserts->succeeded < SUCCEEDED_ENOUGH)
		inserts->succeeded++;
}
