/*
 * resolve.c - tests of schemas/avro/plan.c: reads data of one schema as another
 */
#include <criterion/criterion.h>
#include <string.h>

#include "schemas/avro/decode.h"
#include "schemas/avro/type.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define RECORD(fields) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define WITH_DEFAULT(name, type, value) \
	"{\"name\":\"" name "\",\"type\":" type ",\"default\":" value "}"
#define JSON "{\"type\":\"string\",\"logicalType\":\"json\"}"

static const struct decode_limits limits = { 1000, 1000, 100, 10, 10 };
static struct arena *arena;
static struct datum datum;
static struct decode_error error;
static char reason[512];

static void set_up(void)
{
	arena = arena_new(0);
}

static void tear_down(void)
{
	arena_free(arena);
}

TestSuite(resolve, .init = set_up, .fini = tear_down);

static const struct plan *plan_between(const char *writer, const char *reader)
{
	const struct type *from = type_compile(arena, writer, strlen(writer), reason,
		sizeof(reason));
	cr_assert_not_null(from, "%s: %s", writer, reason);
	const struct type *to = type_compile(arena, reader, strlen(reader), reason, sizeof(reason));
	cr_assert_not_null(to, "%s: %s", reader, reason);
	return plan_new(arena, from, to, reason, sizeof(reason));
}

static bool read_as(const char *writer, const char *reader, const char *bytes, size_t size)
{
	const struct plan *plan = plan_between(writer, reader);
	cr_assert_not_null(plan, "%s as %s: %s", writer, reader, reason);
	return decode(plan, bytes, size, &limits, arena, &datum, &error);
}

#define READ(writer, reader, bytes) read_as(writer, reader, bytes, sizeof(bytes) - 1)

Test(resolve, promotions)
{
	cr_assert(READ("\"int\"", "\"long\"", "\x0A"));
	cr_assert(datum.kind == DATUM_INTEGER && datum.integer == 5);
	cr_assert(READ("\"int\"", "\"double\"", "\x0A"));
	cr_assert(datum.kind == DATUM_REAL && datum.real == 5.0);
	cr_assert(READ("\"int\"", "\"float\"", "\x0A"));
	cr_assert(datum.kind == DATUM_REAL && datum.real == 5.0);
	cr_assert(READ("\"long\"", "\"double\"", "\x09"));
	cr_assert(datum.kind == DATUM_REAL && datum.real == -5.0);
	cr_assert(READ("\"float\"", "\"double\"", "\0\0\xC0\x3F"));
	cr_assert(datum.kind == DATUM_REAL && datum.real == 1.5);
	cr_assert(READ("\"bytes\"", "\"string\"", "\x02x"));
	cr_assert(READ("\"string\"", "\"bytes\"", "\x02\xFF"));
	cr_assert_not(READ("\"bytes\"", "\"string\"", "\x02\xFF"));
	cr_assert_str_eq(error.code, "BAD_UTF8");
	cr_assert_not(READ("\"string\"", JSON, "\x02x"));
	cr_assert_str_eq(error.code, "BAD_JSON");
	cr_assert_not(READ("\"int\"", "\"double\"", "\x80\x80\x80\x80\x10"));
	cr_assert_str_eq(error.code, "BAD_NUMBER", "the writer's int keeps its range");
}

Test(resolve, nulls)
{
	cr_assert(READ("\"string\"", "[\"null\",\"string\"]", "\x02x"));
	cr_assert_eq(datum.kind, DATUM_TEXT);
	cr_assert(READ("[\"null\",\"int\"]", "[\"double\",\"null\"]", "\x02\x0A"));
	cr_assert_eq(datum.kind, DATUM_REAL);
	cr_assert(READ("[\"int\",\"null\"]", "[\"null\",\"int\"]", "\x02"));
	cr_assert_eq(datum.kind, DATUM_NULL);
	cr_assert(READ("[\"null\",\"string\"]", "\"string\"", "\x02\x02x"));
	cr_assert_eq(datum.kind, DATUM_TEXT);
	cr_assert_not(READ(RECORD(FIELD("a", "[\"null\",\"string\"]")),
		RECORD(FIELD("a", "\"string\"")), "\x00"));
	cr_assert_str_eq(error.code, "NULL_FOR_REQUIRED");
	cr_assert_eq(strncmp(error.message, "a: ", 3), 0);
	cr_assert(READ("\"null\"", "[\"null\",\"int\"]", ""));
	cr_assert_eq(datum.kind, DATUM_NULL);
}

Test(resolve, fields_by_name)
{
	static const char writer[] = RECORD(FIELD("gone",
		"{\"type\":\"array\",\"items\":\"string\"}") "," FIELD("b",
		"\"int\"") "," FIELD("a", "\"string\""));
	static const char reader[] = RECORD(FIELD("a", "\"string\"") "," WITH_DEFAULT("new",
		"[\"null\",\"string\"]", "null") "," FIELD("b", "\"long\"") "," WITH_DEFAULT("list",
		"{\"type\":\"array\",\"items\":\"int\"}", "[7,8]"));
	cr_assert(READ(writer, reader,
			  "\x04\x02x\x02y\x00"
			  "\x0A"
			  "\x04hi"),
		"%s", error.message);
	cr_assert_eq(datum.size, 4);
	cr_assert_arr_eq(datum.items[0].text, "hi", 2);
	cr_assert_eq(datum.items[1].kind, DATUM_NULL);
	cr_assert_eq(datum.items[2].integer, 5);
	cr_assert_eq(datum.items[3].size, 2);
	cr_assert_eq(datum.items[3].items[1].integer, 8);
}

Test(resolve, records_within)
{
	static const char writer[] = RECORD(FIELD("in",
		"{\"type\":\"map\",\"values\":{\"type\":\"record\",\"name\":\"S\",\"fields\":[" FIELD(
			"x", "\"int\"") "]}}"));
	static const char reader[] = RECORD(FIELD("in",
		"{\"type\":\"map\",\"values\":[\"null\",{\"type\":\"record\",\"name\":\"T\",\"fields\":[" WITH_DEFAULT(
			"y", "\"boolean\"", "true") "," FIELD("x", "\"double\"") "]}]}"));
	cr_assert(READ(writer, reader, "\x04\x02k\x02\x02l\x04\x00"), "%s", error.message);
	const struct datum *map = &datum.items[0];
	cr_assert_eq(map->size, 2);
	cr_assert(map->items[3].items[0].boolean);
	cr_assert_float_eq(map->items[3].items[1].real, 2, 0);
}

/* The decoder checks dropped values, too, and counts them. */
Test(resolve, dropped_fields_count_for_the_limits)
{
	static const char writer[] = RECORD(FIELD("gone",
		"{\"type\":\"array\",\"items\":\"null\"}"));
	cr_assert_not(READ(writer, RECORD(""), "\x80\x94\xEB\xDC\x03\x00"));
	cr_assert_str_eq(error.code, "LENGTH_BEYOND_LIMIT");
	cr_assert_eq(strncmp(error.message, "gone", 4), 0);
}

static const struct {
	const char *writer;
	const char *reader;
	const char *reason;
} refused[] = {
	{ "\"long\"", "\"int\"", "long can't be read as int" },
	{ "\"double\"", "\"float\"", "double can't be read as float" },
	{ "\"string\"", "\"long\"", "string can't be read as long" },
	{ "\"null\"", "\"string\"", "null can't be read as string" },
	{ "\"boolean\"", "\"int\"", "boolean can't" },
	{ "\"string\"", RECORD(""), "string can't be read as record" },
	{ "{\"type\":\"array\",\"items\":\"int\"}", "{\"type\":\"map\",\"values\":\"int\"}",
		"array can't" },
	{ RECORD(FIELD("a", "\"string\"")), RECORD(FIELD("a", "\"int\"")),
		"a: string can't be read as int" },
	{ RECORD(""), RECORD(FIELD("new", "[\"null\",\"int\"]")),
		"field new is not in the writer's R and has no default" },
	{ RECORD(FIELD("a",
		  "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"S\",\"fields\":[]}}")),
		RECORD(FIELD("a",
			"{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"S\",\"fields\":[" FIELD(
				"n", "\"int\"") "]}}")),
		"field n is not" },
};

Test(resolve, refused)
{
	for (size_t i = 0; i < COUNT(refused); i++) {
		cr_expect_null(plan_between(refused[i].writer, refused[i].reader), "case %zu", i);
		cr_expect_not_null(strstr(reason, refused[i].reason), "case %zu: %s", i, reason);
	}
}
