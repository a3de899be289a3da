/*
 * normal.c - tests of schemas/json/normal.c: the normal form, the repair, and the memory they use
 */
#include <criterion/criterion.h>
#include <string.h>

#include "schemas/json/json.h"

static struct arena *arena;

static void init(void)
{
	arena = arena_new(0);
}

static void fini(void)
{
	arena_free(arena);
}

TestSuite(handlers_json, .init = init, .fini = fini);

static void is(struct datum found, const char *expected)
{
	cr_expect(found.size == strlen(expected) && memcmp(found.text, expected, found.size) == 0,
		"%.*s, not %s", (int)found.size, found.text, expected);
}

Test(handlers_json, normal_form)
{
	static const char *const cases[][2] = {
		{ " { \"a\" : [ 1.0 , -0.0, 1E2, 1e21, 1e-7, 1e999 ] } ",
			"{\"a\":[1,0,100,1e+21,1e-7,null]}" },
		{ "\"\\u0041\\/\\u0009\\n\\u001F\\u0022\\u005c\"", "\"A/\\t\\n\\u001f\\\"\\\\\"" },
		{ "\"\\u00e9\\ud83d\\ude00\\uD800\"", "\"\xc3\xa9\xf0\x9f\x98\x80\\ud800\"" },
		{ "12345678901234567890", "12345678901234567000" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct datum given = datum_string(cases[i][0]), normal = datum_string(cases[i][1]);
		is(json_normal(arena, &given), cases[i][1]);
		is(json_normal(arena, &normal), cases[i][1]);
	}
}

Test(handlers_json, spelling)
{
	cr_expect(json_spells((struct json){ "\"a\\u0062c\"", 10 }, "abc"));
	cr_expect_not(json_spells((struct json){ "\"abc\"", 5 }, "ab"));
	cr_expect_not(json_spells((struct json){ "\"ab\"", 4 }, "abc"));
	cr_expect_not(json_spells((struct json){ "\"ab\\u0000\"", 10 }, "ab"));
}

/* The normal form and the repair of a text of escapes need memory in proportion to its size. */
Test(handlers_json, memory_follows_the_size)
{
	enum { ESCAPES = 20000 };
	char *text = arena_alloc(arena, 2 * ESCAPES + 3);
	struct datum given = datum_text(text, 2 * ESCAPES + 3), made;

	memcpy(text, " \"", 2);
	for (size_t i = 0; i < ESCAPES; i++)
		memcpy(text + 2 + 2 * i, "\\n", 2);
	text[given.size - 1] = '"';
	size_t before = arena_used(arena);
	made = json_normal(arena, &given);
	cr_expect_eq(made.size, given.size - 1);
	cr_expect_lt(arena_used(arena) - before, 8 * given.size);
	before = arena_used(arena);
	cr_expect(json_repair(arena, &given, &made));
	cr_expect_eq(made.size, given.size);
	cr_expect_lt(arena_used(arena) - before, 8 * given.size);
}
