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
	link = (struct turn_link){ .notes = notes_new() };
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

static void seen(unsigned times, bool all_new)
{
	while (times-- > 0)
		new_rows_seen(&turn, docs, MANY, all_new);
}

/* A key was there: the engine runs the turn again. */
static void fail(void)
{
	cr_assert(expected());
	link.careful = true;
	cr_assert_not(expected());
	link.careful = false;
}

Test(new_rows, are_expected_behind_new_ones)
{
	cr_assert_not(expected());
	seen(1, true);
	cr_assert(expected());
	cr_assert(expected());
	seen(2, true);
	cr_assert(expected());
	cr_assert_not(new_rows_expected(&turn, other, MANY));
}

Test(new_rows, are_not_expected_behind_others)
{
	seen(5, true);
	seen(1, false);
	cr_assert_not(expected());
	seen(1, true);
	cr_assert(expected());
}

Test(new_rows, are_not_expected_where_they_are_few)
{
	seen(1, true);
	cr_assert_not(new_rows_expected(&turn, docs, 2));
	new_rows_seen(&turn, docs, 2, false);
	cr_assert(expected());
	seen(1, false);
	new_rows_seen(&turn, docs, 2, true);
	cr_assert_not(expected());
}

Test(new_rows, that_failed_need_more_to_be_seen)
{
	seen(1, true);
	fail();
	seen(3, true);
	cr_assert_not(expected());
	seen(1, true);
	fail();
	seen(15, true);
	cr_assert_not(expected());
	seen(1, true);
	cr_assert(expected());
}

Test(new_rows, that_hold_need_less_again)
{
	seen(1, true);
	fail();
	seen(4, true);
	for (int i = 0; i < 10; i++) {
		cr_assert(expected());
		seen(1, true);
	}
	seen(1, false);
	seen(1, true);
	cr_assert(expected());
}

/* Of another table, or by another cause, before or after. */
Test(new_rows, stay_expected_where_others_failed)
{
	seen(1, true);
	cr_assert(expected());
	seen(1, true);
	link.careful = true;
	cr_assert_not(expected());
	link.careful = false;
	cr_assert(expected());
}

Test(new_rows, need_no_more_than_some_thousands)
{
	seen(1, true);
	for (int i = 0; i < 20; i++) {
		fail();
		seen(4096, true);
	}
	cr_assert(expected());
}
