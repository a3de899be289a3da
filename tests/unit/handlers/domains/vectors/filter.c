/*
 * filter.c - tests of handlers/domains/vectors/filter*.c: the SQL and parameters of filters, and the
 * paths of refused ones
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "handlers/domains/vectors/filter.h"
#include "schemas/json/json.h"

static struct arena *arena;
static struct params *params;
static struct context ctx;
static struct call call;

static void init(void)
{
	arena = arena_new(0);
	params = params_new();
	ctx = (struct context){ .arena = arena, .params = params };
	call = (struct call){ 0 };
}

static void fini(void)
{
	params_free(params);
	arena_free(arena);
}

TestSuite(vectors_filter, .init = init, .fini = fini);

static const char *where_of(const char *json)
{
	const char *where = NULL;

	params_reset(params);
	cr_assert(vectors_filter(&ctx, &call, json, json ? strlen(json) : 0, "filter", &where),
		"%s is refused: %s", json, call.failure.message);
	/* PostgreSQL refuses a parameter without a type in the statement. */
	for (int i = 1; i <= params_count(params); i++) {
		char number[16];
		snprintf(number, sizeof(number), "$%d::", i);
		cr_expect(strstr(where, number), "%s has no %s", where, number);
	}
	return where;
}

/* `path` is the path as JSON spells it; the message does not escape backslashes. */
static void refused(const char *json, const char *path)
{
	const char *where;
	char details[1200];

	params_reset(params);
	call = (struct call){ 0 };
	cr_assert_not(vectors_filter(&ctx, &call, json, strlen(json), "filter", &where),
		"%s is not refused", json);
	cr_expect_eq(call.state, CALL_FAILED);
	cr_expect_eq(call.failure.category, FAILURE_INVALID);
	cr_expect_str_eq(call.failure.code, "INVALID_FILTER");
	snprintf(details, sizeof(details), "{\"path\":\"%s\"}", path);
	cr_expect_str_eq(call.failure.details, details);
	cr_expect(strchr(path, '\\') || strncmp(call.failure.message, path, strlen(path)) == 0,
		"%s does not name %s", call.failure.message, path);
}

static void param_is(int index, const char *text)
{
	size_t len = (size_t)params_lengths(params)[index];

	cr_expect(len == strlen(text) && memcmp(params_values(params)[index], text, len) == 0,
		"$%d is '%.*s', not '%s'", index + 1, (int)len, params_values(params)[index], text);
}

/* The elements of a text[] parameter, joined by commas. */
static void list_is(int index, const char *expected)
{
	const char *at = params_values(params)[index], *end = at + params_lengths(params)[index];
	struct json_text found = json_text_new(arena);

	for (at += 20; at < end;) {
		const char *length = at;
		json_text_puts(&found, found.len ? "," : "");
		at += 4;
		if ((unsigned char)length[0] == 0xFF) {
			json_text_puts(&found, "NULL");
		} else {
			json_text_add(&found, at, (size_t)length[3]);
			at += length[3];
		}
	}
	cr_expect_str_eq(json_text_end(&found).text, expected);
}

/* ---------------------------------------------------------------- the SQL */

Test(vectors_filter, without_a_condition)
{
	static const char *const all[] = { NULL, "null", " null ", "{}", " { } ", "{\"a\":{}}",
		"{\"a\":{\"b\":{}},\"c\":{}}" };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		cr_expect_str_eq(where_of(all[i]), "TRUE");
		cr_expect_eq(params_count(params), 0);
	}
	/* These are conditions, even if they hold for all rows or none. */
	cr_expect_str_eq(where_of("{\"$and\":[]}"), "((TRUE))");
	cr_expect_str_eq(where_of("{\"$nor\":[]}"), "(NOT (FALSE))");
	cr_expect_str_eq(where_of("{\"$or\":[]}"), "((FALSE))");
}

Test(vectors_filter, equality_is_what_an_index_holds)
{
	cr_expect_str_eq(where_of("{\"kind\":\"a'b\\\"\\u00e9\"}"),
		"((metadata->>'kind') = $1::text)");
	param_is(0, "a'b\"\xc3\xa9");
	cr_expect_str_eq(where_of("{\"kind\":{\"$ne\":true}}"),
		"((metadata->>'kind') <> $1::text)");
	param_is(0, "true");
	cr_expect_str_eq(where_of("{\"a\":null,\"b\":{\"$ne\":null}}"),
		"((metadata->>'a') IS NULL AND (metadata->>'b') IS NOT NULL)");
	cr_expect_eq(params_count(params), 0);
	cr_expect_str_eq(where_of("{\"a\":{\"$eq\":[1, \"x\"]}}"),
		"((metadata->>'a') = ($1::jsonb)::text)");
}

Test(vectors_filter, numbering_goes_on)
{
	const char *where;
	const char *json = "{\"a\":1,\"b.c\":2}";

	params_text(params, "before", 6);
	cr_assert(vectors_filter(&ctx, &call, json, strlen(json), "filter", &where));
	cr_expect_str_eq(where,
		"((metadata->>'a') = $2::text AND (metadata #>> $3::text[]) = $4::text)");
	cr_expect_eq(params_count(params), 4);
	list_is(2, "b,c");
}

Test(vectors_filter, nested_objects_are_dotted_fields)
{
	const char *nested = where_of("{\"a\":{\"b\":{\"c.d\":{\"$gt\":5}}}}");

	list_is(0, "a,b,c,d");
	cr_expect_str_eq(nested, where_of("{\"a.b.c.d\":{\"$gt\":5}}"));
	list_is(0, "a,b,c,d");
}

Test(vectors_filter, numbers_are_written_as_jsonb_writes_them)
{
	static const char *const numbers[][2] = {
		{ "5", "5" },
		{ "5.0", "5" },
		{ "-0", "0" },
		{ "-0.0", "0" },
		{ "0.50", "0.5" },
		{ "-12.25", "-12.25" },
		{ "1e3", "1000" },
		{ "1E+3", "1000" },
		{ "1.5e1", "15" },
		{ "1.25e1", "12.5" },
		{ "1e-3", "0.001" },
		{ "120e-1", "12" },
		{ "123e-1", "12.3" },
		{ "123e-5", "0.00123" },
		{ "1e21", "1000000000000000000000" },
		{ "9007199254740993", "9007199254740992" },
		{ "0.1e-7", "0.00000001" },
	};
	char json[128];

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		snprintf(json, sizeof(json), "{\"a\":%s,\"b\":[%s]}", numbers[i][0], numbers[i][0]);
		where_of(json);
		param_is(0, numbers[i][1]);
		list_is(1, numbers[i][1]);
	}
	/* Beyond the range of doubles, where the metadata holds null. */
	where_of("{\"a\":1e400}");
	cr_expect_eq(params_lengths(params)[0], 401);
}

Test(vectors_filter, order_by_number_or_text)
{
	static const char *const numeric[] = { "5", "-1e3", "\"5\"", "\" 5.5 \"", "\"+5\"",
		"\".5\"", "\"5.\"", "\"1e-2\"", "\"-Infinity\"" };
	static const char *const text[] = { "\"a\"", "\"\"", "\" \"", "\"5a\"", "\"1_0\"",
		"\"NaN\"", "\"0x10\"", "\".\"", "\"1e\"", "\"--5\"", "\"infinity\"",
		"\"2024-01-01T00:00:00.000Z\"", "true" };
	char json[128];

	for (size_t i = 0; i < sizeof(numeric) / sizeof(numeric[0]); i++) {
		snprintf(json, sizeof(json), "{\"a\":{\"$gte\":%s}}", numeric[i]);
		cr_expect_str_eq(where_of(json),
			"(CASE jsonb_typeof((metadata->'a')) WHEN 'number' THEN"
			" (metadata->'a')::numeric >= ($1::text)::numeric END)",
			"%s", json);
	}
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		snprintf(json, sizeof(json), "{\"a\":{\"$lt\":%s}}", text[i]);
		cr_expect_str_eq(where_of(json), "((metadata->>'a') < $1::text)", "%s", json);
	}
	cr_expect_str_eq(where_of("{\"a\":{\"$gt\":null}}"), "((metadata->>'a') > NULL::text)");
}

Test(vectors_filter, lists)
{
	const char *where = where_of("{\"a\":{\"$in\":[\"x\",1e2,true,null]}}");

	list_is(0, "x,100,true,NULL");
	cr_expect_eq(params_count(params), 1);
	cr_expect(strstr(where, "((metadata->>'a') = ANY($1::text[]) AND "), "%s", where);
	cr_expect_str_eq(where, where_of("{\"a\":[1]}"));
	cr_expect_str_eq(where, where_of("{\"a\":{\"$in\":1}}"));
	where = where_of("{\"a\":[\"x\",{\"b\":1},[2]]}");
	list_is(0, "x");
	cr_expect_eq(params_count(params), 3);
	cr_expect(strstr(where, "ANY(($1::text[] || ($2::jsonb)::text || ($3::jsonb)::text))"));
	where_of("{\"a.b\":{\"$all\":[],\"$gt\":null,\"$regex\":null,\"$contains\":null}}");
	where_of("{\"a\":{\"$all\":[null,\"x\"]}}");
	list_is(0, "x");
	where_of("{\"a\":{\"$contains\":[null,\"x\"]}}");
	list_is(0, "null,x");
}

Test(vectors_filter, patterns)
{
	cr_expect_str_eq(where_of("{\"a\":{\"$contains\":\"50%_\\\\x\"}}"),
		"((metadata->>'a') ILIKE $1::text)");
	param_is(0, "%50\\%\\_\\\\x%");
	cr_expect_str_eq(where_of("{\"a\":{\"$regex\":\"^b\"}}"), "((metadata->>'a') ~ $1::text)");
	param_is(0, "^b");
	where_of("{\"a\":{\"$options\":\"gimsxuy\",\"$regex\":\"^b\"}}");
	param_is(0, "(?imsx)^b");
	where_of("{\"a\":{\"$regex\":\"^b\",\"\\u0024options\":\"\\u0069\"}}");
	param_is(0, "(?i)^b");
	where_of("{\"a\":{\"$regex\":\"^b\",\"$options\":\"msxxm\"}}");
	param_is(0, "(?sxm)^b");
	where_of("{\"a\":{\"$options\":\"m\",\"$regex\":\"^b\",\"$o\\u0070tions\":\"i\"}}");
	param_is(0, "(?i)^b");
	where_of("{\"a\":{\"$regex\":\"^b\",\"$options\":null}}");
	param_is(0, "^b");
}

Test(vectors_filter, logic)
{
	cr_expect_str_eq(
		where_of("{\"$or\":[{\"a\":null},{\"b\":null,\"c\":null}],\"$not\":{\"d\":null}}"),
		"((((metadata->>'a') IS NULL) OR"
		" ((metadata->>'b') IS NULL AND (metadata->>'c') IS NULL))"
		" AND NOT (((metadata->>'d') IS NULL)))");
	cr_expect_str_eq(where_of("{\"a\":{\"$not\":{\"$ne\":null,\"$not\":{\"$exists\":false}}}}"),
		"(NOT ((metadata->>'a') IS NOT NULL AND NOT ((metadata->'a') IS NULL)))");
}

Test(vectors_filter, elements)
{
	const char *where = where_of("{\"a\":{\"$elemMatch\":{\"$gt\":1,\"b.c\":null,"
				     "\"d\":{\"$elemMatch\":{\"$eq\":null}}}}}");

	cr_expect_str_eq(where,
		"(EXISTS (SELECT FROM jsonb_array_elements(CASE jsonb_typeof((metadata->'a'))"
		" WHEN 'array' THEN (metadata->'a') END) AS item1 WHERE "
		"CASE jsonb_typeof(item1) WHEN 'number' THEN"
		" item1::numeric > ($1::text)::numeric END"
		" AND (item1 #>> $2::text[]) IS NULL"
		" AND EXISTS (SELECT FROM jsonb_array_elements("
		"CASE jsonb_typeof((item1 #> $3::text[])) WHEN 'array' THEN (item1 #> $3::text[])"
		" END) AS item2 WHERE (item2 #>> '{}') IS NULL)))");
	list_is(1, "b,c");
	list_is(2, "d");
}

/* ---------------------------------------------------------------- refused filters */

Test(vectors_filter, shapes_are_refused_where_they_are)
{
	static const char *const cases[][2] = {
		{ "5", "filter" },
		{ "[]", "filter" },
		{ "\"x\"", "filter" },
		{ "{\"$foo\":1}", "filter.$foo" },
		{ "{\"$eq\":5}", "filter.$eq" },
		{ "{\"$options\":\"i\"}", "filter.$options" },
		{ "{\"a\":{\"$foo\":1}}", "filter.a.$foo" },
		{ "{\"a\":{\"b\":{\"$foo\":1}}}", "filter.a.b.$foo" },
		{ "{\"$and\":[{\"a\":1},{\"price\":{\"$gt\":[]}}]}", "filter.$and[1].price.$gt" },
		{ "{\"a\":{\"$gt\":1,\"b\":2}}", "filter.a.b" },
		{ "{\"a\":{\"b\":2,\"$gt\":1}}", "filter.a.$gt" },
		{ "{\"a\":{\"$and\":[{\"$gt\":1}]}}", "filter.a.$and" },
		{ "{\"a\":{\"$gt\":{\"$lt\":5}}}", "filter.a.$gt" },
		{ "{\"a\":{\"$eq\":{\"$lt\":5}}}", "filter.a.$eq.$lt" },
		{ "{\"a\":{\"$in\":[1,{\"$lt\":5}]}}", "filter.a.$in[1].$lt" },
		{ "{\"$and\":{\"a\":1}}", "filter.$and" },
		{ "{\"$or\":null}", "filter.$or" },
		{ "{\"$nor\":[5]}", "filter.$nor[0]" },
		{ "{\"$or\":[{\"a\":1},{}]}", "filter.$or[1]" },
		{ "{\"$and\":[{\"a\":{}}]}", "filter.$and[0]" },
		{ "{\"$and\":[{\"$gt\":5}]}", "filter.$and[0].$gt" },
		{ "{\"$and\":[[{\"a\":5}]]}", "filter.$and[0]" },
		{ "{\"$not\":[]}", "filter.$not" },
		{ "{\"$not\":{}}", "filter.$not" },
		{ "{\"$not\":{\"$eq\":5}}", "filter.$not.$eq" },
		{ "{\"a\":{\"$not\":\"x\"}}", "filter.a.$not" },
		{ "{\"a\":{\"$not\":{}}}", "filter.a.$not" },
		{ "{\"a\":{\"$not\":{\"b\":1}}}", "filter.a.$not.b" },
		{ "{\"a\":{\"$elemMatch\":5}}", "filter.a.$elemMatch" },
		{ "{\"a\":{\"$elemMatch\":{}}}", "filter.a.$elemMatch" },
		{ "{\"a\":{\"$elemMatch\":{\"$or\":[{\"b\":1}]}}}", "filter.a.$elemMatch.$or" },
		{ "{\"a\":{\"$elemMatch\":{\"b\":{}}}}", "filter.a.$elemMatch.b" },
		{ "{\"a\":{\"$elemMatch\":{\"b\":{\"c\":1}}}}", "filter.a.$elemMatch.b.c" },
		{ "{\"a\":{\"$size\":1.5}}", "filter.a.$size" },
		{ "{\"a\":{\"$size\":\"x\"}}", "filter.a.$size" },
		{ "{\"a\":{\"$size\":[1]}}", "filter.a.$size" },
		{ "{\"a\":{\"$size\":{}}}", "filter.a.$size" },
		{ "{\"a\":{\"$size\":{\"$in\":[1]}}}", "filter.a.$size.$in" },
		{ "{\"a\":{\"$size\":{\"$gt\":null}}}", "filter.a.$size.$gt" },
		{ "{\"a\":{\"$regex\":[]}}", "filter.a.$regex" },
		{ "{\"a\":{\"$regex\":\"x\",\"$options\":5}}", "filter.a.$options" },
		{ "{\"a\":{\"$options\":\"i\"}}", "filter.a.$options" },
		{ "{\"a\":1e5000}", "filter.a" },
		{ "{\"a\":{\"$gt\":\"1e99999999999999999999\"}}", "filter.a.$gt" },
		{ "{\"a\":\"x\\u0000\"}", "filter.a" },
		{ "{\"a\":{\"$in\":[\"\\u0000\"]}}", "filter.a.$in[0]" },
		{ "{\"a\":{\"$regex\":\"\\u0000\"}}", "filter.a.$regex" },
		{ "{\"a\":{\"$eq\":{\"b\":\"\\u0000\"}}}", "filter.a.$eq" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refused(cases[i][0], cases[i][1]);
}

Test(vectors_filter, hostile_keys_are_refused)
{
	static const char *const keys[] = { "", " ", "a b", "a'", "a'--", "a;", "a-b", "9a", "a..b",
		".a", "a.", ".", "a.0", "a.$eq", "a$", "\xc3\xa9", "a{", "a,b", "a:b" };
	char json[128], path[128];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(path, sizeof(path), "filter.%s", keys[i]);
		snprintf(json, sizeof(json), "{\"%s\":1}", keys[i]);
		refused(json, path);
		snprintf(json, sizeof(json), "{\"a\":{\"$elemMatch\":{\"%s\":1}}}", keys[i]);
		snprintf(path, sizeof(path), "filter.a.$elemMatch.%s", keys[i]);
		refused(json, path);
	}
	/* The path in the details is a JSON string. */
	refused("{\"a\\\"b\":1}", "filter.a\\\\\\\"b");
	refused("{\"a\\u0000\":1}", "filter.a\\\\u0000");
}

Test(vectors_filter, long_keys)
{
	char json[4096], path[128], key[64];

	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	snprintf(json, sizeof(json), "{\"%s\":1,\"a.%s.b\":2}", key, key);
	where_of(json);
	snprintf(json, sizeof(json), "{\"%sk\":1}", key);
	snprintf(path, sizeof(path), "filter.%sk", key);
	refused(json, path);
	/* The key is cut between characters. */
	snprintf(json, sizeof(json), "{\"%s\xc3\xa9%s\":1}", key, key);
	snprintf(path, sizeof(path), "filter.%s", key);
	refused(json, path);
}

/* `inside`, with `count` times `opening` before it and `closing` after it. */
static const char *nest(size_t count, const char *opening, const char *inside, const char *closing)
{
	struct json_text out = json_text_new(arena);

	for (size_t i = 0; i < count; i++)
		json_text_puts(&out, opening);
	json_text_puts(&out, inside);
	for (size_t i = 0; i < count; i++)
		json_text_puts(&out, closing);
	return json_text_end(&out).text;
}

static void refused_somewhere(const char *json)
{
	const char *where;

	params_reset(params);
	call = (struct call){ 0 };
	cr_expect_not(vectors_filter(&ctx, &call, json, strlen(json), "filter", &where));
	cr_expect_eq(call.failure.category, FAILURE_INVALID);
	cr_expect_str_eq(call.failure.code, "INVALID_FILTER");
}

Test(vectors_filter, depth_is_bounded)
{
	static const char *const shapes[][3] = {
		{ "{\"$and\":[", "{\"a\":1}", "]}" },
		{ "{\"$not\":", "{\"a\":1}", "}" },
		{ "{\"a\":", "1", "}" },
		{ "{\"a\":", "{}", "}" },
		{ "{\"$or\":[{\"a\":{\"$elemMatch\":", "{\"b\":1}", "}}]}" },
	};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		for (size_t count = 100; count <= 10000; count *= 10)
			refused_somewhere(nest(count, shapes[i][0], shapes[i][1], shapes[i][2]));
	refused_somewhere(arena_printf(arena, "{\"a\":{\"$elemMatch\":%s}}",
		nest(10000, "{\"$elemMatch\":", "{\"$eq\":1}", "}")));
	refused_somewhere(arena_printf(arena, "{\"a\":%s}",
		nest(10000, "{\"$not\":", "{\"$eq\":1}", "}")));
	refused_somewhere(arena_printf(arena, "{\"%s\":1}", nest(40, "a.", "a", "")));
	where_of(nest(15, shapes[0][0], shapes[0][1], shapes[0][2]));
	where_of(nest(30, shapes[2][0], shapes[2][1], shapes[2][2]));
	where_of(arena_printf(arena, "{\"%s\":1}", nest(20, "a.", "a", "")));
}

static const char *list_of(int count, const char *opening, const char *item, const char *closing)
{
	struct json_text out = json_text_new(arena);

	json_text_puts(&out, opening);
	for (int i = 0; i < count; i++) {
		json_text_puts(&out, i ? "," : "");
		json_text_puts(&out, item);
	}
	json_text_puts(&out, closing);
	return json_text_end(&out).text;
}

/* Checks the arena's growth for a filter of `size` bytes. */
static void took_little(size_t before, size_t size)
{
	size_t took = arena_used(arena) - before;

	cr_expect_lt(took, 64 * size + 4096, "%zu bytes for a filter of %zu", took, size);
}

static void refused_cheaply(const char *json)
{
	size_t before = arena_used(arena);

	refused_somewhere(json);
	took_little(before, strlen(json));
}

Test(vectors_filter, members_without_a_condition_are_bounded_too)
{
	const char *key = nest(250, "0123456789abcdefghij", "", "");

	refused_cheaply(list_of(1100, "{\"a\":{\"$regex\":\"x\",", "\"$options\":\"i\"", "}}"));
	refused_cheaply(list_of(1100, "{\"a\":{", "\"b\":{}", "}}"));
	refused_cheaply(list_of(1100, "{", "\"b\":{}", "}"));
	/* A nested member repeats the names of the objects around it. */
	refused_cheaply(arena_printf(arena, "{\"a%s\":%s}", key,
		list_of(1000, "{", "\"a\":{}", "}")));
	refused_cheaply(arena_printf(arena, "{\"%s\":%s}", nest(2000, "a.", "a", ""),
		list_of(1000, "{", "\"a\":{}", "}")));
}

static void taken_cheaply(const char *json)
{
	size_t before = arena_used(arena);

	where_of(json);
	took_little(before, strlen(json));
}

Test(vectors_filter, memory_follows_the_size)
{
	taken_cheaply(list_of(500, "{\"a\":{\"$regex\":\"x\",", "\"$options\":\"i\"", "}}"));
	taken_cheaply(list_of(500,
		arena_printf(arena, "{\"a\":{\"$options\":\"%s\",", nest(10000, "i", "", "")),
		"\"$regex\":\"x\"", "}}"));
	taken_cheaply(list_of(20000, "{\"a\":[", "\"\"", "]}"));
	taken_cheaply(list_of(20000, "{\"a\":[", "1", "]}"));
	taken_cheaply(list_of(20000, "{\"a\":{\"$eq\":{", "\"\":1", "}}}"));
}

Test(vectors_filter, conditions_are_bounded)
{
	/* The scalars of a list share one parameter, whatever their number. */
	where_of(list_of(20000, "{\"a\":[", "5", "]}"));
	cr_expect_eq(params_count(params), 1);
	where_of(list_of(500, "{\"$or\":[", "{\"a\":1}", "]}"));
	refused_somewhere(list_of(1500, "{\"$or\":[", "{\"a\":1}", "]}"));
	refused_somewhere(list_of(1500, "{\"a\":[", "[1]", "]}"));
}
