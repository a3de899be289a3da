/* When the rows of a large statement are expected to be new, and when not any more. */
#include "handlers/new_rows.h"

#include <criterion/criterion.h>

#include "handlers/notes.h"
#include "worker/turns.h"

#define MANY 100

static struct turn_link link;
static struct turn turn;
static struct datum docs, other;

static void make(void)
{
	link = (struct turn_link){ .notes = notes_new(), .batch = 1 };
	turn = (struct turn){ .arena = arena_new(0), .notes = link.notes, .link = &link };
	docs = datum_string("docs");
	other = datum_string("other");
}

static void drop(void)
{
	notes_free(link.notes);
	arena_free(turn.arena);
}

TestSuite(new_rows, .init = make, .fini = drop);

static bool expected(void)
{
	return new_rows_expected(&turn, docs, MANY);
}

static void next_batch(void)
{
	link.batch++;
	link.none_new = link.careful = false;
}

/* A key was there: the batch runs again, and is followed by another. */
static void fail(void)
{
	cr_assert(expected());
	link.none_new = true;
	cr_assert_not(expected());
	cr_assert_not(expected());
	next_batch();
}

/* Statements until new rows are expected again; no more are tried. */
static int rest(void)
{
	int count = 0;
	while (count < 100000 && !expected())
		count++;
	next_batch();
	return count;
}

Test(new_rows, are_expected_from_the_first_on)
{
	cr_assert(expected());
	cr_assert(expected());
	next_batch();
	cr_assert(expected());
	cr_assert(link.expects_new);
}

Test(new_rows, are_not_expected_where_they_are_few)
{
	cr_assert_not(new_rows_expected(&turn, docs, 2));
	cr_assert_not(link.expects_new);
}

Test(new_rows, are_not_expected_after_a_failure_and_longer_after_each_other)
{
	int first, second;
	fail();
	first = rest();
	cr_assert_geq(first, 90);
	cr_assert_leq(first, 100);
	fail();
	second = rest();
	cr_assert_geq(second, 390);
	cr_assert_leq(second, 400);
	for (int i = 0; i < 10; i++) {
		fail();
		second = rest();
	}
	cr_assert_leq(second, 6400);
}

Test(new_rows, that_held_for_long_rest_less_after_the_next_failure)
{
	fail();
	rest();
	for (int i = 0; i < 900; i++) {
		cr_assert(expected());
		next_batch();
	}
	fail();
	cr_assert_leq(rest(), 100);
}

Test(new_rows, of_one_table_say_nothing_of_another)
{
	fail();
	cr_assert(new_rows_expected(&turn, other, MANY));
	link.none_new = true;
	cr_assert_not(new_rows_expected(&turn, other, MANY));
	next_batch();
	cr_assert_not(new_rows_expected(&turn, other, MANY));
}

/* It was not expected in the batch that failed. */
Test(new_rows, are_expected_after_a_failure_that_was_not_theirs)
{
	cr_assert(expected());
	next_batch();
	link.none_new = true;
	cr_assert_not(expected());
	next_batch();
	cr_assert(expected());
}

/* What fails then is not known to be a key. */
Test(new_rows, are_not_expected_where_a_culprit_is_looked_for)
{
	cr_assert(expected());
	link.careful = true;
	cr_assert_not(expected());
	next_batch();
	cr_assert(expected());
}
