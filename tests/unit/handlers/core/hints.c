/* hints.c - hints: one for each key, a new one replaces the oldest, each is released once */
#include "handlers/core/hints.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static int released;

static void release(void *hint)
{
	(void)hint;
	released++;
}

static void put(struct hints *hints, const char *key, int *hint)
{
	hints_put(hints, key, strlen(key), hint, release);
}

static int *found(const struct hints *hints, const char *key)
{
	return hints_find(hints, key, strlen(key));
}

Test(hints, a_key_has_one_hint)
{
	struct hints *hints = hints_new();
	int first = 1, second = 2, other = 3;

	put(hints, "a", &first);
	put(hints, "ab", &other);
	put(hints, "a", &second);
	cr_assert_eq(released, 1);
	cr_assert_eq(found(hints, "a"), &second);
	cr_assert_eq(found(hints, "ab"), &other);
	cr_assert_null(found(hints, "b"));
	hints_drop(hints, "a", 1);
	hints_drop(hints, "a", 1);
	cr_assert_eq(released, 2);
	cr_assert_null(found(hints, "a"));
	cr_assert_eq(found(hints, "ab"), &other);
	hints_free(hints);
	cr_assert_eq(released, 3);
}

Test(hints, new_ones_replace_the_oldest)
{
	struct hints *hints = hints_new();
	int value = 0, kept = 0;
	char key[16];

	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		put(hints, key, &value);
		cr_assert_eq(found(hints, key), &value, "the newest hint exists");
	}
	cr_assert_null(found(hints, "0"));
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		kept += found(hints, key) != NULL;
	}
	cr_assert_eq(released + kept, 1000);
	hints_free(hints);
	cr_assert_eq(released, 1000);
}
