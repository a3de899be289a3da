/* keys.c - distinct keys are numbered, and keys that an attacker could choose do not matter */
#include "handlers/core/keys.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define KEYS 1000

Test(keys, are_numbered_and_sorted)
{
	struct arena *arena = arena_new(0);
	struct keys *keys = keys_new(arena, 1);
	static char texts[KEYS][8];
	static struct datum data[KEYS];
	for (unsigned i = 0; i < KEYS; i++) {
		snprintf(texts[i], sizeof(texts[i]), "%u", (i * 7) % KEYS);
		data[i] = datum_string(texts[i]);
		cr_assert_eq(keys_add(keys, &data[i]), i);
	}
	for (unsigned i = 0; i < KEYS; i++)
		cr_assert_eq(keys_add(keys, &data[i]), i);
	const struct datum other = datum_string("x");
	cr_expect_eq(keys_find(keys, &other), KEYS_NONE);
	cr_expect_eq(keys_count(keys), KEYS);
	const uint32_t *sorted = keys_sorted(keys);
	for (unsigned i = 1; i < KEYS; i++)
		cr_assert_lt(strcmp(texts[sorted[i - 1]], texts[sorted[i]]), 0);
	arena_free(arena);
}

Test(keys, keep_no_pointer_to_a_datum)
{
	struct arena *arena = arena_new(0);
	struct keys *keys = keys_new(arena, 4);
	static char texts[KEYS][8];
	struct datum datum;
	for (unsigned i = 0; i < KEYS; i++) {
		snprintf(texts[i], sizeof(texts[i]), "%u", i);
		datum = datum_string(texts[i]);
		cr_assert_eq(keys_add(keys, &datum), i);
	}
	datum = datum_string("7");
	cr_expect_eq(keys_find(keys, &datum), 7);
	cr_expect(datum_equals(keys_text(keys, 7), &datum));
	arena_free(arena);
}
