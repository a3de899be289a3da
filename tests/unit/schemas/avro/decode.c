/*
 * decode.c - tests of schemas/avro/decode.c: every kind of bad input, byte by byte
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/avro/decode.h"
#include "schemas/avro/type.h"
#include "schemas/base/alloc.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Abbreviations for the schemas below. */
#define STRING "\"string\""
#define JSON "{\"type\":\"string\",\"logicalType\":\"json\"}"
#define NULLABLE(type) "[\"null\"," type "]"
#define ARRAY(type) "{\"type\":\"array\",\"items\":" type "}"
#define MAP(type) "{\"type\":\"map\",\"values\":" type "}"
#define RECORD(name, field, type) \
	"{\"type\":\"record\",\"name\":\"" name "\",\"fields\":[{\"name\":\"" field \
	"\",\"type\":" type "}]}"
#define EMPTY "{\"type\":\"record\",\"name\":\"Empty\",\"fields\":[]}"

static const struct decode_limits limits = {
	.message_bytes = 1000,
	.string_bytes = 100,
	.array_items = 50,
	.depth = 4,
	.json_depth = 5,
};

struct fixture {
	struct arena *arena;
	struct datum datum;
	struct decode_error error;
};

static struct fixture fixture;

static void set_up(void)
{
	fixture.arena = arena_new(0);
}

static void tear_down(void)
{
	arena_free(fixture.arena);
}

TestSuite(decode, .init = set_up, .fini = tear_down);

static const struct plan *plan_of(const char *schema)
{
	char error[512];
	const struct type *type = type_compile(fixture.arena, schema, strlen(schema), error,
		sizeof(error));
	cr_assert_not_null(type, "%s: %s", schema, error);
	const struct plan *plan = plan_new(fixture.arena, type, type, error, sizeof(error));
	cr_assert_not_null(plan, "%s: %s", schema, error);
	return plan;
}

/* Copies the bytes to a block of exactly their size, so that AddressSanitizer detects overruns. */
static bool decode_exactly(const struct plan *plan, const char *bytes, size_t size,
	const struct decode_limits *bounds)
{
	char *copy = allocate(size);
	memcpy(copy, bytes, size);
	bool ok = decode(plan, copy, size, bounds, fixture.arena, &fixture.datum, &fixture.error);
	free(copy);
	return ok;
}

struct bad {
	const char *schema;
	const char *bytes;
	size_t size;
	const char *code;
	const char *message; /* a part of the message */
};

#define BAD(schema, bytes, code, message) { schema, bytes, sizeof(bytes) - 1, code, message }

static const struct bad bads[] = {
	/* truncated messages, and trailing bytes */
	BAD(STRING, "", "TRUNCATED", "ends within"),
	BAD(RECORD("R", "id", STRING),
		"\x06"
		"ab",
		"TRUNCATED", "id: "),
	BAD("\"long\"", "\x80", "TRUNCATED", ""),
	BAD("\"double\"", "1234567", "TRUNCATED", ""),
	BAD("\"float\"", "123", "TRUNCATED", ""),
	BAD(ARRAY("\"float\""), "\x04\0\0\xC0\x3F\0\0\0", "TRUNCATED", ""),
	BAD(ARRAY("\"float\""), "\x01\x06\0\0\xC0\x3F\0\0\0", "BAD_LENGTH", ""),
	BAD("\"boolean\"", "", "TRUNCATED", ""),
	BAD(NULLABLE(STRING), "\x02", "TRUNCATED", ""),
	BAD(ARRAY("\"long\""), "\x02\x02", "TRUNCATED", ""),
	BAD(STRING,
		"\x02"
		"ab",
		"TRAILING_BYTES", "1 bytes follow"),
	BAD("\"null\"", "\0", "TRAILING_BYTES", ""),
	/* numbers */
	BAD("\"long\"", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02", "BAD_NUMBER", "64 bits"),
	BAD("\"long\"", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", "BAD_NUMBER", ""),
	BAD("\"long\"", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", "BAD_NUMBER", ""),
	BAD("\"int\"", "\x80\x80\x80\x80\x10", "BAD_NUMBER", "2147483648 does not fit in an int"),
	BAD("\"int\"", "\x81\x80\x80\x80\x10", "BAD_NUMBER", "-2147483649"),
	BAD("\"boolean\"", "\x02", "BAD_BOOLEAN", "the boolean is 2, not 0 or 1"),
	BAD(NULLABLE(STRING), "\x04\x00", "BAD_UNION", "no branch 2"),
	BAD(NULLABLE(STRING), "\x01", "BAD_UNION", "no branch -1"),
	/* lengths */
	BAD(STRING, "\x01", "BAD_LENGTH", "-1 bytes"),
	BAD(STRING, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", "BAD_LENGTH", ""),
	BAD(STRING, "\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", "LENGTH_BEYOND_LIMIT",
		"9223372036854775807"),
	BAD(STRING, "\x80\x80\x80\x80\x10", "LENGTH_BEYOND_LIMIT",
		"2147483648 bytes; the limit is 100"),
	BAD("\"bytes\"", "\xCA\x01", "LENGTH_BEYOND_LIMIT", "101 bytes"),
	BAD("\"bytes\"", "\xC8\x01", "TRUNCATED", ""),
	BAD(RECORD("R", "snapshot", JSON), "\x80\x80\x80\x80\x10", "LENGTH_BEYOND_LIMIT",
		"snapshot: "),
	BAD(RECORD("R", "snapshot", JSON),
		"\x0a"
		"1e999",
		"LENGTH_BEYOND_LIMIT", "snapshot: the JSON has 1004 bytes"),
	/* blocks */
	BAD(ARRAY("\"null\""), "\x80\x94\xEB\xDC\x03\x00", "LENGTH_BEYOND_LIMIT",
		"500000000 items; the limit is 50"),
	BAD(ARRAY("\"null\""), "\x64\x02\x00", "LENGTH_BEYOND_LIMIT", "[49]"),
	BAD(ARRAY(EMPTY), "\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\x00", "LENGTH_BEYOND_LIMIT",
		""),
	BAD(ARRAY("\"null\""), "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\x00\x00", "BAD_LENGTH",
		"a block"),
	BAD(ARRAY("\"null\""),
		"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01",
		"BAD_LENGTH", "a block"),
	BAD(ARRAY("\"long\""), "\x03\x02\x00\x00\x00", "BAD_LENGTH", "does not end where"),
	BAD(ARRAY("\"long\""), "\x01\x04\x00\x00\x00", "BAD_LENGTH", "does not end where"),
	BAD(ARRAY("\"long\""), "\x01\x01\x00\x00", "BAD_LENGTH", "invalid length"),
	BAD(ARRAY("\"long\""), "\x01\x20\x00\x00", "TRUNCATED", ""),
	BAD(ARRAY("\"long\""), "\x5A\x00", "TRUNCATED", ""),
	BAD(ARRAY("\"double\""),
		"\x04"
		"12345678"
		"1234567",
		"TRUNCATED", ""),
	BAD(MAP("\"null\""), "\x04\x02k", "TRUNCATED", ""),
	BAD(MAP("\"null\""), "\x80\x94\xEB\xDC\x03\x00", "LENGTH_BEYOND_LIMIT", "500000000"),
	BAD(MAP("\"int\""), "\x02\x02\xFF\x00\x00", "BAD_UTF8", "{0}"),
	/* text */
	BAD(RECORD("R", "title", NULLABLE(STRING)), "\x02\x04\xC3(", "BAD_UTF8", "title: "),
	BAD(RECORD("R", "in", ARRAY(RECORD("S", "a", STRING))), "\x04\x02x\x02\xFF\x00", "BAD_UTF8",
		"in[1].a: "),
	BAD(RECORD("R", "m", JSON), "\x02{", "BAD_JSON", "m: is not valid JSON at byte 1"),
	BAD(RECORD("R", "m", JSON), "\x00", "BAD_JSON", ""),
	BAD(RECORD("R", "m", JSON), "\x06\"\xFF\"", "BAD_UTF8", "at byte 1"),
	BAD(RECORD("R", "m", JSON), "\x18[[[[[[]]]]]]", "DEPTH_BEYOND_LIMIT",
		"more than 5 levels deep"),
	/* nested types */
	BAD(ARRAY(ARRAY(ARRAY(ARRAY(ARRAY("\"int\""))))),
		"\x02\x02\x02\x02\x02\x02\x00\x00\x00\x00\x00", "DEPTH_BEYOND_LIMIT",
		"more than 4 levels deep"),
};

Test(decode, bad_input)
{
	for (size_t i = 0; i < COUNT(bads); i++) {
		const struct bad *bad = &bads[i];
		cr_assert_not(decode_exactly(plan_of(bad->schema), bad->bytes, bad->size, &limits),
			"case %zu", i);
		cr_expect_str_eq(fixture.error.code, bad->code, "case %zu: %s %s", i,
			fixture.error.code, fixture.error.message);
		cr_expect_not_null(strstr(fixture.error.message, bad->message), "case %zu: %s", i,
			fixture.error.message);
	}
}

/* A false length must not make the decoder allocate more than the limits allow. */
Test(decode, bad_input_allocates_little)
{
	for (size_t i = 0; i < COUNT(bads); i++) {
		const struct plan *plan = plan_of(bads[i].schema);
		size_t before = arena_used(fixture.arena);
		cr_assert_not(decode_exactly(plan, bads[i].bytes, bads[i].size, &limits));
		cr_expect_lt(arena_used(fixture.arena) - before, 4096, "case %zu", i);
	}
}

Test(decode, message_larger_than_the_limit)
{
	char *message = calloc(1, 1001);
	cr_assert_not(decode_exactly(plan_of("\"bytes\""), message, 1001, &limits));
	cr_assert_str_eq(fixture.error.code, "LENGTH_BEYOND_LIMIT");
	free(message);
}

/* Arrays of nulls in an array: each is within the limit, but all together are not. */
Test(decode, arrays_of_nulls_in_an_array)
{
	const struct decode_limits wide = { 100000000, 100, 1000000, 4, 5 };
	enum { ARRAYS = 10000, EACH = 5 };
	char *message = malloc(ARRAYS * EACH + 10), *at = message;
	at = memcpy(at, "\xA0\x9C\x01", 3); /* 10,000 */
	at += 3;
	for (int i = 0; i < ARRAYS; i++, at += EACH)
		memcpy(at, "\xC0\x84\x3D\x00\x00",
			EACH); /* 500,000 nulls, then an empty array as padding */
	memcpy(at, "\x00", 1);
	const struct plan *plan = plan_of(ARRAY(ARRAY("\"null\"")));
	size_t before = arena_used(fixture.arena);
	cr_assert_not(decode_exactly(plan, message, (size_t)(at - message) + 1, &wide));
	cr_assert_str_eq(fixture.error.code, "LENGTH_BEYOND_LIMIT");
	cr_assert_leq(arena_used(fixture.arena) - before, DECODE_FLOOR + 4096);
	free(message);
}

static const struct datum *good(const char *schema, const char *bytes, size_t size)
{
	static char kept[256];
	memcpy(kept, bytes, size);
	cr_assert(decode(plan_of(schema), kept, size, &limits, fixture.arena, &fixture.datum,
			  &fixture.error),
		"%s: %s", schema, fixture.error.message);
	return &fixture.datum;
}

#define GOOD(schema, bytes) good(schema, bytes, sizeof(bytes) - 1)

Test(decode, numbers)
{
	cr_assert_eq(GOOD("\"long\"", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01")->integer,
		INT64_MIN);
	cr_assert_eq(GOOD("\"long\"", "\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01")->integer,
		INT64_MAX);
	cr_assert_eq(GOOD("\"int\"", "\xFF\xFF\xFF\xFF\x0F")->integer, INT32_MIN);
	cr_assert_eq(GOOD("\"long\"", "\x80\x01")->integer, 64);
	cr_assert_eq(GOOD("\"long\"", "\x7F")->integer, -64);
	cr_assert_float_eq(GOOD("\"double\"", "\0\0\0\0\0\0\xF8\xBF")->real, -1.5, 0);
	cr_assert_float_eq(GOOD("\"float\"", "\0\0\xC0\x3F")->real, 1.5, 0);
	cr_assert(GOOD("\"boolean\"", "\x01")->boolean);
}

Test(decode, arrays_of_floats)
{
	static const char one[] = "\x04\0\0\xC0\x3F\0\0\0\xC0\x00";
	static const char more[] =
		"\x02\0\0\xC0\x3F\x01\x08\0\0\0\xC0\x04\0\0\x80\x3F\0\0\0\x40\x00";
	static const float numbers[] = { 1.5F, -2, 1, 2 };
	const struct datum *array = GOOD(ARRAY("\"float\""), one);
	cr_assert_eq(array->kind, DATUM_FLOATS);
	cr_assert_eq(array->size, 2);
	for (uint32_t i = 0; i < 2; i++)
		cr_assert_float_eq(datum_float(array, i), numbers[i], 0);
	array = GOOD(ARRAY("\"float\""), more);
	cr_assert_eq(array->size, 4);
	for (uint32_t i = 0; i < 4; i++)
		cr_assert_float_eq(datum_float(array, i), numbers[i], 0);
	cr_assert_eq(GOOD(ARRAY("\"float\""), "\x00")->size, 0);
}

Test(decode, blocks_of_both_forms)
{
	const struct datum *array = GOOD(ARRAY("\"int\""),
		"\x04\x02\x04\x03\x04\x06\x08\x02\x0A\x00");
	cr_assert_eq(array->kind, DATUM_ARRAY);
	cr_assert_eq(array->size, 5);
	for (int i = 0; i < 5; i++)
		cr_assert_eq(array->items[i].integer, i + 1);
	const struct datum *map = GOOD(MAP("\"int\""), "\x01\x06\x02k\x02\x02\x02l\x04\x00");
	cr_assert_eq(map->kind, DATUM_MAP);
	cr_assert_eq(map->size, 2);
	cr_assert_arr_eq(map->items[2].text, "l", 1);
	cr_assert_eq(map->items[3].integer, 2);
	cr_assert_eq(GOOD(ARRAY("\"int\""), "\x00")->size, 0);
	cr_assert_eq(GOOD(ARRAY("\"null\""), "\x64\x00")->size, 50, "as many as the limit");
	cr_assert_eq(GOOD(ARRAY(EMPTY), "\x02\x00")->items[0].size, 0);
}

Test(decode, text_is_not_copied)
{
	static const char message[] = "\x0Ah\xC3\xA4! ";
	cr_assert(decode(plan_of(STRING), message, 6, &limits, fixture.arena, &fixture.datum,
		&fixture.error));
	cr_assert_eq(fixture.datum.text, message + 1);
	cr_assert_eq(fixture.datum.size, 5);
}

Test(decode, json_to_be_repaired)
{
	cr_assert_eq(GOOD(JSON, "\x10\"\\u0000\"")->flags, DATUM_JSON_REPAIR);
	cr_assert_eq(GOOD(JSON, "\x10\"\\ud800\"")->flags, DATUM_JSON_REPAIR);
	cr_assert_eq(GOOD(JSON, "\x1C\"\\ud83d\\ude00\"")->flags, 0);
	cr_assert_eq(GOOD(JSON, "\x16[[[[[1]]]]]")->flags, 0, "as deep as the limit");
}

/* Every prefix of a valid message is truncated. */
Test(decode, every_prefix_is_truncated)
{
	static const char schema[] =
		"{\"type\":\"record\",\"name\":\"R\",\"fields\":["
		"{\"name\":\"a\",\"type\":" STRING "},{\"name\":\"b\",\"type\":" NULLABLE(
			"\"long\"") "},"
				    "{\"name\":\"c\",\"type\":" ARRAY(MAP(
					    "\"double\"")) "},{\"name\":\"d\",\"type\":" JSON "},"
							   "{\"name\":\"e\",\"type\":\"float\"},{\"name\":\"f\",\"type\":\"boolean\"}]}";
	static const char message[] = "\x06"
				      "abc"
				      "\x02\x80\x01"
				      "\x02\x02\x02k12345678\x00\x00"
				      "\x04{}"
				      "\0\0\0\0"
				      "\x01";
	const struct plan *plan = plan_of(schema);
	size_t size = sizeof(message) - 1;
	cr_assert(decode_exactly(plan, message, size, &limits), "%s", fixture.error.message);
	for (size_t part = 0; part < size; part++) {
		cr_assert_not(decode_exactly(plan, message, part, &limits));
		cr_assert_str_eq(fixture.error.code, "TRUNCATED", "%zu bytes", part);
	}
}
