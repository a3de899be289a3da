/* tenants.c - which names of schemas commands may give, and how many complete schemas are remembered */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "worker/engine/tenants.h"

static bool allows(const char *pattern, const char *name, size_t size, const char **schema)
{
	static char kept[64];
	const char *why;
	struct arena *arena = arena_new(4096);
	struct tenants *tenants = tenants_new("Main", pattern);
	bool allowed = tenants_allow(tenants, (struct header_text){ name, size }, arena, schema,
		&why);
	if (allowed && *schema) {
		snprintf(kept, sizeof(kept), "%s", *schema);
		*schema = kept;
	}
	tenants_free(tenants);
	arena_free(arena);
	return allowed;
}

static bool allows_text(const char *pattern, const char *name)
{
	const char *schema;
	return allows(pattern, name, strlen(name), &schema) && schema && strcmp(schema, name) == 0;
}

Test(tenants, whole_name_must_match)
{
	cr_assert(allows_text("a|b+", "a"));
	cr_assert(allows_text("a|b+", "bb"));
	cr_assert_not(allows_text("a|b+", "ax"));
	cr_assert_not(allows_text("a|b+", "xbb"));
	cr_assert(allows_text("^a$", "a"));
	cr_assert_not(allows_text("a", "A"));
	cr_assert_not(allows_text("", "a"));
}

Test(tenants, own_schema_is_always_allowed)
{
	const char *schema = "x";
	cr_assert(allows("", "Main", 4, &schema));
	cr_assert_null(schema);
	cr_assert(allows("", NULL, 0, &schema));
	cr_assert_null(schema);
	cr_assert_not(allows("", "main", 4, &schema));
}

Test(tenants, names_that_no_pattern_allows)
{
	static const char *const names[] = { "", "pg_x", "information_schema", "a\xff" };
	char text[65];
	const char *schema;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		cr_assert_not(allows_text(".*", names[i]), "%s", names[i]);
	memset(text, 'a', 64);
	text[64] = '\0';
	cr_assert_not(allows_text(".*", text));
	cr_assert(allows_text(".*", text + 1));
	cr_assert_not(allows(".*", "a\0b", 3, &schema));
}

Test(tenants, names_with_any_character)
{
	static const char *const names[] = { "a\"b", "a'b", "a$", "a\\b", "a\nb", "a.b",
		"\xc3\xa9" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		cr_assert(allows_text(".*", names[i]), "%s", names[i]);
}

static const char *numbered(int number)
{
	static char name[32];
	snprintf(name, sizeof(name), "tenant_%d", number);
	return name;
}

static int count_complete(struct tenants *tenants, int count)
{
	int known = 0;
	for (int i = 0; i < count; i++)
		known += tenants_complete(tenants, numbered(i));
	return known;
}

Test(tenants, complete_schemas_are_remembered_until_forgotten)
{
	struct tenants *tenants = tenants_new("public", ".*");
	for (int i = 0; i < 100000; i++) {
		tenants_learn(tenants, numbered(i));
		tenants_learn(tenants, numbered(i));
		cr_assert(tenants_complete(tenants, numbered(i)));
	}
	int known = count_complete(tenants, 100000);
	cr_assert(known > 8000 && known <= 16384, "%d", known);
	tenants_forget(tenants, numbered(99999));
	cr_assert_not(tenants_complete(tenants, numbered(99999)));
	tenants_free(tenants);
}

Test(tenants, thousands_of_schemas_have_room)
{
	struct tenants *tenants = tenants_new("public", ".*");
	for (int i = 0; i < 2000; i++)
		tenants_learn(tenants, numbered(i));
	int known = count_complete(tenants, 2000);
	cr_assert(known >= 1995, "%d", known);
	tenants_free(tenants);
}
