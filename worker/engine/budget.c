/* budget.c - limits of statements by the configuration and by deadlines */
#include "worker/engine/budget.h"

#include <stdio.h>
#include <string.h>

#include "schemas/base/clock.h"

struct budget budget_new(int64_t whole_ms, int64_t lock_ms, bool alone)
{
	struct budget budget = { .whole_ms = whole_ms, .lock_ms = lock_ms, .alone = alone };
	budget_set(&budget, 0);
	budget_begin(&budget);
	return budget;
}

void budget_set(struct budget *budget, int64_t deadline_ms)
{
	int64_t limit_ms = budget->whole_ms;
	if (!budget->alone && limit_ms > QUICK_MS)
		limit_ms = QUICK_MS;
	int64_t left_ms = deadline_ms - clock_now_ms();
	budget->by_deadline = deadline_ms && left_ms < limit_ms;
	if (budget->by_deadline)
		limit_ms = left_ms > 1 ? left_ms : 1;
	budget->limit_ms = limit_ms;
}

struct statement_limits budget_limits(const struct budget *budget)
{
	/* 0 would mean no limit. */
	int64_t half_ms = budget->limit_ms > 1 ? budget->limit_ms / 2 : 1;
	return (struct statement_limits){ .run_ms = budget->limit_ms,
		.lock_ms = budget->lock_ms < half_ms ? budget->lock_ms : half_ms };
}

void budget_begin(struct budget *budget)
{
	budget->since = clock_tick_ms();
}

bool budget_is_spent(const struct budget *budget, const struct db_failure *failure)
{
	return failure->kind == DB_CONTEND && strcmp(failure->sqlstate, "57014") == 0 &&
		clock_tick_ms() - budget->since >= budget->limit_ms;
}

bool budget_is_whole(const struct budget *budget)
{
	return budget->by_deadline || budget->alone;
}

const char *budget_describe(const struct budget *budget, char *text, size_t size)
{
	if (budget->by_deadline) {
		snprintf(text, size, "the command's deadline passed while it ran");
		return "DEADLINE_PASSED";
	}
	snprintf(text, size,
		"the command ran for %lld ms, the time that postgres.statementTimeoutMillis allows",
		(long long)budget->limit_ms);
	return "STATEMENT_TIMEOUT";
}
