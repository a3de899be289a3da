/* What handlers remember: one note a key, the oldest make room, each is freed once. */
#include "handlers/core/hints.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static int released;

static void release(void *note)
{
	(void)note;
	released++;
}

static void put(struct notes *notes, const char *key, int *note)
{
	notes_put(notes, key, strlen(key), note, release);
}

static int *found(const struct notes *notes, const char *key)
{
	return notes_find(notes, key, strlen(key));
}

Test(notes, one_for_each_key)
{
	struct notes *notes = notes_new();
	int first = 1, second = 2, other = 3;

	put(notes, "a", &first);
	put(notes, "ab", &other);
	put(notes, "a", &second);
	cr_assert_eq(released, 1);
	cr_assert_eq(found(notes, "a"), &second);
	cr_assert_eq(found(notes, "ab"), &other);
	cr_assert_null(found(notes, "b"));
	notes_drop(notes, "a", 1);
	notes_drop(notes, "a", 1);
	cr_assert_eq(released, 2);
	cr_assert_null(found(notes, "a"));
	cr_assert_eq(found(notes, "ab"), &other);
	notes_free(notes);
	cr_assert_eq(released, 3);
}

Test(notes, old_ones_make_room)
{
	struct notes *notes = notes_new();
	int value = 0, kept = 0;
	char key[16];

	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		put(notes, key, &value);
		cr_assert_eq(found(notes, key), &value, "the newest is there");
	}
	cr_assert_null(found(notes, "0"));
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		kept += found(notes, key) != NULL;
	}
	cr_assert_eq(released + kept, 1000);
	notes_free(notes);
	cr_assert_eq(released, 1000);
}
