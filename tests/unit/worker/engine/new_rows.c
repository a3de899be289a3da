/* When the rows of a table are expected to be new, and when not any more. */
#include "handlers/core/optimistic_insert.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define MANY 100

static struct new_rows rows;

static void make(void)
{
	rows = (struct new_rows){ 0 };
}

TestSuite(new_rows, .init = make);

static bool expected_of(const char *table)
{
	return new_rows_expected(&rows, table, strlen(table), MANY);
}

/* A batch with rows of that table, of which one is there or none. Was it tried? */
static bool batch(const char *table, bool is_there)
{
	new_rows_begin(&rows);
	bool tried = expected_of(table);
	if (tried && is_there) {
		new_rows_failed(&rows);
		new_rows_begin(&rows);
	}
	new_rows_held(&rows);
	return tried;
}

/* Batches until rows of the table are expected to be new again, that one not counted. */
static int rest(void)
{
	int count = 0;
	while (count < 100000 && !batch("docs", false))
		count++;
	return count;
}

Test(new_rows, are_expected_from_the_first_on)
{
	for (int i = 0; i < 1000; i++)
		cr_assert(batch("docs", false));
}

Test(new_rows, are_not_expected_where_they_are_few)
{
	new_rows_begin(&rows);
	cr_assert_not(new_rows_expected(&rows, "docs", 4, 31));
	cr_assert_not(new_rows_tried(&rows));
	cr_assert(new_rows_expected(&rows, "docs", 4, 32));
	cr_assert(new_rows_tried(&rows));
}

Test(new_rows, are_not_expected_after_a_failure_and_longer_after_each_other)
{
	static const int rests[] = { 100, 400, 1600, 6400, 6400, 6400 };
	for (size_t i = 0; i < sizeof(rests) / sizeof(*rests); i++) {
		cr_assert(batch("docs", true));
		cr_assert_eq(rest(), rests[i]);
	}
}

Test(new_rows, that_held_often_enough_are_expected_again_soon)
{
	cr_assert(batch("docs", true));
	rest();
	cr_assert(batch("docs", true));
	rest();
	for (int i = 0; i < 50; i++)
		cr_assert(batch("docs", false));
	cr_assert(batch("docs", true));
	cr_assert_eq(rest(), 100);
}

Test(new_rows, that_held_not_often_enough_are_not)
{
	cr_assert(batch("docs", true));
	for (int i = rest(); i < 100 + 48; i++) /* the one that ended the rest has held */
		cr_assert(batch("docs", false));
	cr_assert(batch("docs", true));
	cr_assert_eq(rest(), 400);
}

Test(new_rows, that_are_few_do_not_use_up_the_rest)
{
	cr_assert(batch("docs", true));
	for (int i = 0; i < 1000; i++)
		cr_assert_not(new_rows_expected(&rows, "docs", 4, 31));
	cr_assert_eq(rest(), 100);
}

Test(new_rows, of_other_tables_are_expected_as_before)
{
	cr_assert(batch("docs", true));
	cr_assert_not(batch("docs", false));
	cr_assert(batch("mastra_messages", false));
	cr_assert(batch("notes", false));
}

/* Thousands of tables, all of them filled a second time. */
Test(new_rows, of_many_tables_fail_few_batches)
{
	int failed = 0;
	for (int i = 0; i < 5000; i++) {
		char table[32];
		snprintf(table, sizeof(table), "tenant_%d", i);
		failed += batch(table, true);
	}
	cr_assert_geq(failed, NEW_ROWS_PLACES);
	cr_assert_leq(failed, 4 * NEW_ROWS_PLACES);
}

Test(new_rows, that_were_not_tried_say_nothing)
{
	new_rows_begin(&rows);
	cr_assert(expected_of("docs"));
	new_rows_begin(&rows); /* the connection was lost */
	new_rows_failed(&rows);
	cr_assert(batch("docs", false));
}
