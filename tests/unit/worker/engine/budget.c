/* budget.c - tests of the time that statements get, and of what ended them */
#include "worker/engine/budget.h"

#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

#include "schemas/base/clock.h"

static const struct db_failure cancelled = { .kind = DB_CONTEND, .sqlstate = "57014" };

Test(budget, is_short_for_commands_that_share_a_batch)
{
	struct budget shared = budget_new(60000, 10000, false);
	cr_assert_eq(shared.limit_ms, QUICK_MS);
	cr_assert_not(budget_is_whole(&shared));
	struct budget alone = budget_new(60000, 10000, true);
	cr_assert_eq(alone.limit_ms, 60000);
	cr_assert(budget_is_whole(&alone));
	cr_assert_eq(budget_limits(&alone).lock_ms, 10000);
}

Test(budget, ends_at_the_deadline)
{
	struct budget budget = budget_new(60000, 10000, false);
	budget_set(&budget, clock_now_ms() + 1000);
	cr_assert_leq(budget.limit_ms, 1000);
	cr_assert(budget_is_whole(&budget));
	budget_set(&budget, clock_now_ms() - 1000);
	cr_assert_eq(budget_limits(&budget).run_ms, 1, "0 would mean no limit");
	cr_assert_eq(budget_limits(&budget).lock_ms, 1);
	budget_set(&budget, clock_now_ms() + 3600000);
	cr_assert_eq(budget.limit_ms, QUICK_MS);
	cr_assert_not(budget_is_whole(&budget));
}

Test(budget, waits_for_locks_less_than_a_statement_may_run)
{
	struct budget budget = budget_new(300, 10000, true);
	cr_assert_lt(budget_limits(&budget).lock_ms, 300);
}

Test(budget, tells_a_time_out_from_a_cancel)
{
	struct budget budget = budget_new(200, 100, true);
	cr_assert_not(budget_is_spent(&budget, &cancelled));
	nanosleep(&(struct timespec){ .tv_nsec = 210 * 1000000 }, NULL);
	cr_assert(budget_is_spent(&budget, &cancelled));
	struct db_failure locked = cancelled;
	memcpy(locked.sqlstate, "55P03", 6);
	cr_assert_not(budget_is_spent(&budget, &locked));
	budget_begin(&budget);
	cr_assert_not(budget_is_spent(&budget, &cancelled));
}
