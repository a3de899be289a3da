/* optimistic_insert.c - tests of when inserts may assume that their rows are new */
#include "handlers/core/optimistic_insert.h"

#include <criterion/criterion.h>

#define MANY 100

static struct optimistic_insert inserts;

static void make(void)
{
	inserts = (struct optimistic_insert){ 0 };
}

TestSuite(optimistic_insert, .init = make);

/* A batch that inserts many rows, of which one exists or none. Returns whether it assumed that all
 * were new. */
static bool batch(bool row_exists)
{
	bool assumed = optimistic_insert_allowed(&inserts, MANY);
	if (assumed && row_exists)
		optimistic_insert_failed(&inserts);
	else if (assumed)
		optimistic_insert_succeeded(&inserts);
	return assumed;
}

/* Counts the batches that do not assume it, up to the next one that does. */
static int skipped(void)
{
	int count = 0;
	while (count < 100000 && !batch(false))
		count++;
	return count;
}

Test(optimistic_insert, assumes_from_the_first_batch_on)
{
	for (int i = 0; i < 1000; i++)
		cr_assert(batch(false));
}

Test(optimistic_insert, does_not_assume_for_few_rows)
{
	cr_assert_not(optimistic_insert_allowed(&inserts, 31));
	cr_assert(optimistic_insert_allowed(&inserts, 32));
}

Test(optimistic_insert, skips_more_batches_after_each_failure_in_a_row)
{
	static const int expected[] = { 100, 400, 1600, 6400, 6400, 6400 };
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		cr_assert(batch(true));
		cr_assert_eq(skipped(), expected[i]);
	}
}

Test(optimistic_insert, forgets_failures_after_enough_successes)
{
	cr_assert(batch(true));
	skipped();
	cr_assert(batch(true));
	skipped();
	for (int i = 0; i < 50; i++)
		cr_assert(batch(false));
	cr_assert(batch(true));
	cr_assert_eq(skipped(), 100);
}

Test(optimistic_insert, remembers_a_failure_after_too_few_successes)
{
	cr_assert(batch(true));
	for (int i = skipped(); i < 100 + 48; i++) /* the batch that ended the skips succeeded */
		cr_assert(batch(false));
	cr_assert(batch(true));
	cr_assert_eq(skipped(), 400);
}

Test(optimistic_insert, few_rows_do_not_use_up_the_skips)
{
	cr_assert(batch(true));
	for (int i = 0; i < 1000; i++)
		cr_assert_not(optimistic_insert_allowed(&inserts, 31));
	cr_assert_eq(skipped(), 100);
}
