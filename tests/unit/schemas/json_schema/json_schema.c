/*
 * json_schema.c - tests of schemas/json_schema: what is refused, problems, limits, regular expressions
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "schemas/base/arena.h"
#include "schemas/json_schema/json_schema.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct json json(const char *text)
{
	return (struct json){ text, strlen(text) };
}

static struct arena *arena;

static void open_arena(void)
{
	arena = arena_new(1 << 20);
}

static void close_arena(void)
{
	arena_free(arena);
}

TestSuite(json_schema, .init = open_arena, .fini = close_arena);

/* Returns "path: why" of the fault; "" if the schema compiles. */
static const char *fault_of(const char *schema)
{
	struct json_schema_fault fault;

	if (json_schema_compile(arena, json(schema), &fault))
		return "";
	return arena_printf(arena, "%s: %s", fault.path, fault.why);
}

/* Returns "path code; path code" of all problems. */
static const char *problems_of(const char *schema, const char *value)
{
	struct json_schema_problem problems[JSON_SCHEMA_PROBLEMS];
	struct json_schema_fault fault = { "", "" };
	const struct json_schema *compiled = json_schema_compile(arena, json(schema), &fault);
	const char *text = "";

	cr_assert(compiled, "%s: %s: %s", schema, fault.path, fault.why);
	size_t count = json_schema_check(compiled, arena, json(value), problems);
	for (size_t i = 0; i < count; i++)
		text = arena_printf(arena, "%s%s%s %s", text, i ? "; " : "", problems[i].path,
			problems[i].code);
	return text;
}

static bool fits(const char *schema, const char *value)
{
	return !*problems_of(schema, value);
}

Test(json_schema, refuses_what_it_does_not_know)
{
	static const char *const words[] = { "if", "then", "else", "contains", "minContains",
		"maxContains", "uniqueItems", "dependentRequired", "dependentSchemas",
		"dependencies", "propertyNames", "unevaluatedItems", "unevaluatedProperties",
		"additionalItems", "$id", "id", "$anchor", "$dynamicRef", "$dynamicAnchor",
		"$recursiveRef", "$vocabulary", "contentEncoding", "contentMediaType", "minimun",
		"Type", "" };

	for (size_t i = 0; i < COUNT(words); i++) {
		const char *schema = arena_printf(arena, "{\"properties\":{\"a\":{\"%s\":true}}}",
			words[i]);
		const char *expected = arena_printf(arena,
			"/properties/a/%s: is a keyword that is not supported", words[i]);
		cr_assert_str_eq(fault_of(schema), expected);
	}
}

Test(json_schema, refuses_at_any_place)
{
	static const char *const places[] = { "{\"not\":%s}", "{\"allOf\":[true,%s]}",
		"{\"anyOf\":[%s]}", "{\"oneOf\":[%s]}", "{\"items\":%s}", "{\"items\":[%s]}",
		"{\"prefixItems\":[%s]}", "{\"additionalProperties\":%s}", "{\"$defs\":{\"x\":%s}}",
		"{\"definitions\":{\"x\":%s}}", "{\"patternProperties\":{\"x\":%s}}",
		"{\"default\":%s,\"$ref\":\"#/default\"}" };

	for (size_t i = 0; i < COUNT(places); i++) {
		char schema[200];
		snprintf(schema, sizeof(schema), places[i], "{\"uniqueItems\":true}");
		cr_assert(strstr(fault_of(schema), "/uniqueItems: is a keyword"), "%s", schema);
		snprintf(schema, sizeof(schema), places[i], "5");
		cr_assert(strstr(fault_of(schema), ": must be a schema"), "%s", schema);
		snprintf(schema, sizeof(schema), places[i], "{}");
		cr_assert_str_eq(fault_of(schema), "", "%s", schema);
	}
	cr_assert_str_eq(fault_of("{\"default\":{\"uniqueItems\":1},\"enum\":[{\"if\":1}],"
				  "\"const\":{\"$id\":1},\"examples\":[{\"x\":1}]}"),
		"");
}

/* Values that keywords do not take. */
Test(json_schema, refuses_bad_values)
{
	static const char *const bad[] = {
		"[]", "true", "null", "\"x\"", "{\"type\":\"text\"}", "{\"type\":[]}",
		"{\"type\":1}", "{\"type\":[\"string\",\"any\"]}", "{\"enum\":1}",
		"{\"required\":\"a\"}", "{\"required\":[1]}", "{\"required\":true}",
		"{\"properties\":[]}", "{\"allOf\":[]}", "{\"anyOf\":{}}", "{\"oneOf\":true}",
		"{\"minLength\":-1}", "{\"minLength\":1.5}", "{\"maxItems\":\"1\"}",
		"{\"minimum\":\"1\"}", "{\"exclusiveMinimum\":true}", "{\"multipleOf\":0}",
		"{\"multipleOf\":-2}", "{\"multipleOf\":1234567890123456789}", "{\"pattern\":1}",
		"{\"pattern\":\"(\"}", "{\"patternProperties\":{\"[\":true}}", "{\"format\":1}",
		"{\"format\":\"hostname\"}", "{\"format\":\"nonsense\"}", "{\"nullable\":1}",
		"{\"title\":1}", "{\"readOnly\":\"x\"}", "{\"$schema\":\"http://example.com\"}",
		"{\"$schema\":\"http://json-schema.org/draft-04/schema#\"}",
		"{\"not\":{\"$schema\":\"http://json-schema.org/draft-07/schema#\"}}",
		"{\"$ref\":\"x\"}", "{\"$ref\":\"\"}", "{\"$ref\":\"#x\"}", "{\"$ref\":\"#/x\"}",
		"{\"$ref\":\"#/$defs/%4\",\"$defs\":{}}", "{\"$ref\":\"#/allOf/1\",\"allOf\":[{}]}",
		"{\"$ref\":\"#/allOf/00\",\"allOf\":[{}]}",
		"{\"$ref\":\"#/$defs/~2\",\"$defs\":{}}", "{\"prefixItems\":[{}],\"items\":[{}]}",
		"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"items\":[{}]}",
		"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"not\":{\"$ref\":\"#\",\"type\":\"null\"}}"
	};

	for (size_t i = 0; i < COUNT(bad); i++)
		cr_assert_str_neq(fault_of(bad[i]), "", "%s", bad[i]);
}

/* `count` times the text, one behind the other. */
static const char *times(int count, const char *text)
{
	const char *all = "";

	for (int i = 0; i < count; i++)
		all = arena_printf(arena, "%s%s", all, text);
	return all;
}

Test(json_schema, refuses_loops_and_depth)
{
	const char *chain = "{\"$ref\":\"#/$defs/0\",\"$defs\":{";

	cr_assert_str_eq(fault_of("{\"$ref\":\"#\"}"), "/: refers to itself without an end");
	cr_assert_str_neq(fault_of("{\"$defs\":{\"a\":{\"not\":{\"$ref\":\"#/$defs/b\"}},"
				   "\"b\":{\"anyOf\":[true,{\"$ref\":\"#/$defs/a\"}]}}}"),
		"");
	const char *deep = arena_printf(arena, "%s{}%s", times(70, "{\"not\":"), times(70, "}"));
	cr_assert_str_eq(fault_of(deep), "/: is nested deeper than 64 levels");
	for (int i = 0; i < 100; i++)
		chain = arena_printf(arena, "%s\"%d\":{\"$ref\":\"#/$defs/%d\"},", chain, i, i + 1);
	chain = arena_printf(arena, "%s\"100\":{}}}", chain);
	cr_assert(strstr(fault_of(chain), "chain of more than 64"), "%s", fault_of(chain));
}

Test(json_schema, problems_say_where)
{
	static const struct {
		const char *schema, *value, *expected;
	} cases[] = {
		{ "{\"type\":\"object\"}", "1", "/ invalid_type" },
		{ "{\"required\":[\"a\",\"b\"]}", "{\"b\":1}", "/a invalid_type" },
		{ "{\"properties\":{\"a\":{\"items\":{\"minimum\":2}}}}", "{\"a\":[1,2,0]}",
			"/a/0 too_small; /a/2 too_small" },
		{ "{\"additionalProperties\":false}", "{\"x\":1}", "/ unrecognized_keys" },
		{ "{\"additionalProperties\":{\"type\":\"null\"}}", "{\"x\":1}",
			"/x invalid_type" },
		{ "{\"enum\":[1,\"a\"]}", "2", "/ invalid_value" },
		{ "{\"const\":{\"a\":[1]}}", "{\"a\":[2]}", "/ invalid_value" },
		{ "{\"anyOf\":[{\"type\":\"null\"},{\"maximum\":1}]}", "2", "/ invalid_union" },
		{ "{\"oneOf\":[true,{\"maximum\":1}]}", "1", "/ invalid_union" },
		{ "{\"allOf\":[{\"maximum\":1},{\"multipleOf\":2}]}", "3",
			"/ too_big; / not_multiple_of" },
		{ "{\"not\":{}}", "3", "/ custom" },
		{ "{\"properties\":{\"a\":false}}", "{\"a\":1}", "/a custom" },
		{ "{\"pattern\":\"^a\"}", "\"b\"", "/ invalid_format" },
		{ "{\"format\":\"uuid\"}", "\"b\"", "/ invalid_format" },
		{ "{\"items\":{\"type\":\"null\"}}", "[1,2,3,4,5,6,7]",
			"/0 invalid_type; /1 invalid_type; /2 invalid_type; /3 invalid_type; /4 invalid_type" },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		cr_assert_str_eq(problems_of(cases[i].schema, cases[i].value), cases[i].expected);
}

Test(json_schema, nullable)
{
	cr_assert(fits("{\"type\":\"string\",\"nullable\":true,\"enum\":[\"a\"]}", "null"));
	cr_assert(fits("{\"type\":\"string\",\"nullable\":true}", "\"a\""));
	cr_assert_not(fits("{\"type\":\"string\",\"nullable\":true}", "1"));
	cr_assert_not(fits("{\"type\":\"string\",\"nullable\":false}", "null"));
}

/* Of equal names the last one counts, as in what is stored. */
Test(json_schema, equal_names)
{
	const char *schema = "{\"properties\":{\"a\":{\"type\":\"number\"}},\"minProperties\":2}";

	cr_assert_not(fits(schema, "{\"a\":1,\"a\":2}"));
	cr_assert_not(fits(schema, "{\"a\":1,\"b\":1,\"a\":\"x\"}"));
	cr_assert(fits(schema, "{\"a\":\"x\",\"b\":1,\"\\u0061\":1}"));
}

Test(json_schema, numbers_are_exact)
{
	static const struct {
		const char *schema, *value;
		bool fits;
	} cases[] = {
		{ "{\"multipleOf\":0.01}", "19.99", true },
		{ "{\"multipleOf\":0.01}", "19.991", false },
		{ "{\"multipleOf\":1e-8}", "12391239123", true },
		{ "{\"multipleOf\":3}", "3e300", true },
		{ "{\"multipleOf\":7}", "3e300", false },
		{ "{\"multipleOf\":0.5}", "-0.0", true },
		{ "{\"multipleOf\":2}", "1e999999999999", true },
		{ "{\"maximum\":0.1}", "0.10000000000000000000001", false },
		{ "{\"maximum\":1e400}", "1e399", true },
		{ "{\"maximum\":-1e400}", "-1e399", false },
		{ "{\"minimum\":9007199254740993}", "9007199254740992", false },
		{ "{\"exclusiveMinimum\":0}", "1e-400", true },
		{ "{\"exclusiveMinimum\":0}", "-0", false },
		{ "{\"const\":100}", "1.00e2", true },
		{ "{\"const\":0}", "-0.0e5", true },
		{ "{\"const\":12}", "120", false },
		{ "{\"const\":12}", "1.2", false },
		{ "{\"type\":\"integer\"}", "1e2", true },
		{ "{\"type\":\"integer\"}", "1.50e1", true },
		{ "{\"type\":\"integer\"}", "1e-1", false },
		{ "{\"minLength\":1.0e0}", "\"\"", false },
		{ "{\"maxLength\":1e300}", "\"abc\"", true },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		cr_assert_eq(fits(cases[i].schema, cases[i].value), cases[i].fits, "%s %s",
			cases[i].schema, cases[i].value);
}

/* `pattern` in JSON, and a text. */
Test(json_schema, patterns_are_javascript)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} cases[] = {
		{ "^a$", "a\\n", false },
		{ "a.c", "a\\nc", false },
		{ "^\\\\w+$", "é", false },
		{ "^[^]$", "\\n", true },
		{ "^[[:alpha:]]$", "a]", true },
		{ "^[[:alpha:]]$", "x", false },
		{ "^[\\\\s\\\\S]$", "\\u2003", true },
		{ "^[^\\\\s]$", "\\u00a0", false },
		{ "^\\\\v$", "\\u000b", true },
		{ "^\\\\v$", "\\n", false },
		{ "^\\\\u0041\\\\x42$", "AB", true },
		{ "^(?<y>\\\\d{4})-\\\\k<y>$", "2024-2024", true },
		{ "^(?=.*\\\\d)(?!x).+$", "ab1", true },
		{ "(?<=a)b", "ab", true },
		{ "^.$", "🦜", true },
		{ "", "anything", true },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *schema = arena_printf(arena, "{\"pattern\":\"%s\"}", cases[i].pattern);
		const char *value = arena_printf(arena, "\"%s\"", cases[i].text);
		cr_assert_eq(fits(schema, value), cases[i].matches, "%s %s", schema, value);
	}
}

Test(json_schema, patterns_of_pcre_alone_are_refused)
{
	static const char *const patterns[] = { "(*LIMIT_MATCH=9)a", "a(*ACCEPT)", "(?i)a", "(?>a)",
		"(?#x)a", "(?R)", "(?P<n>a)", "(?C1)a", "\\\\Aa", "\\\\Qa\\\\E", "\\\\Ka", "\\\\h",
		"\\\\R", "a\\\\", "(", "[a", "a**",
		"((((((((((((((((((((((((((((((((((((((((((((((((((((((((((a",
		"((a|b){1000}){1000}" };

	for (size_t i = 0; i < COUNT(patterns); i++) {
		const char *schema = arena_printf(arena, "{\"pattern\":\"%s\"}", patterns[i]);
		cr_assert(strstr(fault_of(schema), "/pattern: "), "%s", schema);
	}
}

/* What takes too much work does not fit, at once. */
Test(json_schema, work_is_limited)
{
	const char *schema = "{\"$ref\":\"#/$defs/30\",\"$defs\":{\"0\":{\"type\":\"string\"}";
	const char *text = arena_printf(arena, "\"%s!\"", times(1000, "a"));
	const char *deep = arena_printf(arena, "%s%s", times(2000, "["), times(2000, "]"));

	for (int i = 1; i <= 30; i++)
		schema = arena_printf(arena,
			"%s,\"%d\":{\"anyOf\":[{\"$ref\":\"#/$defs/%d\"},{\"$ref\":\"#/$defs/%d\"}]}",
			schema, i, i - 1, i - 1);
	schema = arena_printf(arena, "%s}}", schema);
	cr_assert_str_eq(problems_of(schema, "1"), "/ custom");
	cr_assert_str_eq(problems_of("{\"pattern\":\"^(a+)+$\"}", text), "/ custom");
	cr_assert_str_eq(problems_of("{\"not\":{\"pattern\":\"^(a+)+$\"}}", text), "/ custom");
	text = arena_printf(arena, "\"%s\"", times(50, "x"));
	cr_assert_str_eq(problems_of("{\"pattern\":\"(x+x+)+y|z\"}", text), "/ custom");
	cr_assert_str_eq(problems_of("{\"items\":{\"$ref\":\"#\"}}", deep), "/ custom");
	cr_assert(fits("{\"type\":\"array\"}", deep));
}

/* A message that is cut ends with a whole character. */
Test(json_schema, messages_are_utf8)
{
	struct json_schema_problem problems[JSON_SCHEMA_PROBLEMS];
	struct json_schema_fault fault;

	for (int shift = 0; shift < 4; shift++) {
		const char *schema = arena_printf(arena, "{\"const\":\"%.*s%s\"}", shift, "xxxx",
			times(100, "🦜"));
		const struct json_schema *compiled = json_schema_compile(arena, json(schema),
			&fault);
		cr_assert_eq(json_schema_check(compiled, arena, json("1"), problems), 1);
		size_t size = strlen(problems[0].message);
		cr_assert(size > 200 && size < 256);
		cr_assert_str_eq(problems[0].message + size - strlen("🦜"), "🦜");
	}
}
