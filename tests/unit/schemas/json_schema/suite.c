/*
 * suite.c - the published JSON Schema Test Suite, as far as the keywords are supported
 *
 * tests/json-schema/README.md says where the tests come from. Each of its schemas either judges all of its
 * values as the suite says, or is refused as the table below says.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/arena.h"
#include "schemas/json_schema/json_schema.h"
#include "schemas/json_schema/value.h"

/* A schema with one of these is refused, and no other. */
static const char *const refused_marks[] = { "\"$id\":\"", "\"$anchor\"", "\"#foo\"",
	"\"$ref\":\"http", "\"$ref\":\"urn", "\"propertyNames\"", "\"dependentSchemas\"",
	"\"unevaluatedProperties\"", "\"additionalItems\"" };

static struct json read_suite(void)
{
	static char bytes[1 << 20];
	FILE *file = fopen(SUITE_FILE, "r");

	cr_assert(file, "%s cannot be read", SUITE_FILE);
	size_t size = fread(bytes, 1, sizeof(bytes), file);
	cr_assert(size < sizeof(bytes));
	fclose(file);
	return (struct json){ bytes, size };
}

static const struct value *member(const struct value *object, const char *name)
{
	const struct value *found = value_member(object, name, strlen(name));
	cr_assert(found, "no %s", name);
	return found;
}

static struct json text_of(const struct value *value)
{
	return (struct json){ value->text, value->size };
}

static const char *string_of(struct arena *arena, const struct value *object, const char *name)
{
	struct datum text = value_characters(arena, member(object, name));
	return arena_copy(arena, text.text, text.size);
}

/* A whole schema is an object, so the schemas true and false stand in one. A schema of draft-07 says so. */
static struct json whole(struct arena *arena, const struct value *schema, bool old)
{
	int size = (int)schema->size;
	const char *text = schema->kind != JSON_OBJECT_KIND
		? arena_printf(arena, "{\"allOf\":[%.*s]}", size, schema->text)
		: arena_printf(arena, "%.*s", size, schema->text);

	if (old && schema->count)
		text = arena_printf(arena,
			"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",%s", text + 1);
	return (struct json){ text, strlen(text) };
}

static bool to_be_refused(const char *schema, bool old)
{
	for (size_t i = 0; i < sizeof(refused_marks) / sizeof(*refused_marks); i++)
		if (strstr(schema, refused_marks[i]))
			return true;
	/* Draft-07 ignores what stands beside $ref. */
	return old && strstr(schema, "\"#/definitions/reffed\",\"maxItems\"");
}

static size_t check_values(struct arena *arena, const struct json_schema *schema,
	const struct value *group, const char *name)
{
	const struct value *tests = member(group, "tests");
	size_t wrong = 0;

	for (uint32_t i = 0; i < tests->count; i++) {
		const struct value *test = tests->items[i];
		struct json_schema_problem problems[JSON_SCHEMA_PROBLEMS];
		bool valid = member(test, "valid")->kind == JSON_TRUE_KIND;
		size_t count = json_schema_check(schema, arena, text_of(member(test, "data")),
			problems);
		if ((count == 0) == valid)
			continue;
		wrong++;
		fprintf(stderr, "%s: %s: %s\n", name, string_of(arena, test, "description"),
			count ? problems[0].message : "fits");
	}
	return wrong;
}

/* Returns how many of the group's expectations fail. */
static size_t check_group(struct arena *arena, const struct value *group)
{
	const char *file = string_of(arena, group, "file");
	const char *name = arena_printf(arena, "%s: %s", file,
		string_of(arena, group, "description"));
	bool old = strncmp(file, "draft7", 6) == 0;
	struct json text = whole(arena, member(group, "schema"), old);
	struct json_schema_fault fault = { "", "" };
	const struct json_schema *schema = json_schema_compile(arena, text, &fault);

	if (!schema == to_be_refused(text.text, old))
		return schema ? check_values(arena, schema, group, name) : 0;
	fprintf(stderr, "%s: %s %s\n", name, schema ? "compiles" : fault.path, fault.why);
	return 1;
}

Test(json_schema_suite, judges_as_published)
{
	struct arena *arena = arena_new(1 << 20);
	const struct value *groups = value_read(arena, read_suite());
	size_t wrong = 0;

	cr_assert(groups->count > 250);
	for (uint32_t i = 0; i < groups->count; i++)
		wrong += check_group(arena, groups->items[i]);
	cr_assert_eq(wrong, 0, "%zu expectations fail", wrong);
	arena_free(arena);
}
