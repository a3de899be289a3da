/*
 * json_form.c - tests of schemas/json_form: JSON of people to Avro and back
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/avro/plan.h"
#include "schemas/base/arena.h"
#include "schemas/json_form/json_form.h"

static const char schema_text[] =
	"{\"type\":\"record\",\"name\":\"All\",\"namespace\":\"t\",\"fields\":["
	"{\"name\":\"text\",\"type\":\"string\"},"
	"{\"name\":\"maybe\",\"type\":[\"null\",\"string\"],\"default\":null},"
	"{\"name\":\"later\",\"type\":[\"string\",\"null\"],\"default\":\"x\"},"
	"{\"name\":\"flag\",\"type\":\"boolean\",\"default\":true},"
	"{\"name\":\"count\",\"type\":\"int\",\"default\":5},"
	"{\"name\":\"total\",\"type\":\"long\",\"default\":0},"
	"{\"name\":\"ratio\",\"type\":\"double\",\"default\":0.5},"
	"{\"name\":\"small\",\"type\":\"float\",\"default\":0},"
	"{\"name\":\"blob\",\"type\":\"bytes\",\"default\":\"\\u00ff\"},"
	"{\"name\":\"at\",\"type\":[\"null\",{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}],"
	"\"default\":null},"
	"{\"name\":\"free\",\"type\":[\"null\",{\"type\":\"string\",\"logicalType\":\"json\"}],"
	"\"default\":null},"
	"{\"name\":\"tags\",\"type\":{\"type\":\"array\",\"items\":\"string\"},\"default\":[]},"
	"{\"name\":\"map\",\"type\":{\"type\":\"map\",\"values\":\"int\"},\"default\":{}},"
	"{\"name\":\"inner\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"Inner\",\"fields\":["
	"{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"n\",\"type\":\"int\",\"default\":7}]}],"
	"\"default\":null}"
	"]}";

static struct arena *arena;
static const struct type *type;
static const struct plan *plan;
static struct decode_error error;
static const struct decode_limits limits = { 1 << 20, 1 << 20, 1000, TYPE_DEPTH_MAXIMUM, 64 };

static void init(void)
{
	char why[256];

	arena = arena_new(0);
	type = type_compile(arena, schema_text, strlen(schema_text), why, sizeof(why));
	cr_assert_not_null(type, "%s", why);
	plan = plan_new(arena, type, type, why, sizeof(why));
	cr_assert_not_null(plan, "%s", why);
}

static void fini(void)
{
	arena_free(arena);
}

TestSuite(send_json, .init = init, .fini = fini);

/* Reads the JSON, decodes the datum and writes it, in the arena. NULL if it is rejected. */
static const char *round_trip_within(const char *text, size_t maximum)
{
	struct buffer bytes = buffer_empty(maximum);
	struct json_text back = json_text_new(arena);
	struct datum datum;

	if (!json_form_read(type, text, strlen(text), &limits, NULL, &bytes, &error)) {
		buffer_free(&bytes);
		return NULL;
	}
	const char *copy = arena_copy(arena, (const char *)bytes.data, bytes.size);
	cr_assert(decode(plan, copy, bytes.size, &limits, arena, &datum, &error), "%s",
		error.message);
	json_form_write(&back, type, &datum, JSON_FORM_PEOPLE, NULL);
	buffer_free(&bytes);
	return json_text_end(&back).text;
}

static const char *round_trip(const char *text)
{
	return round_trip_within(text, 0);
}

static void comes_back(const char *given, const char *expected)
{
	const char *back = round_trip(given);

	cr_assert_not_null(back, "%s: %s", given, error.message);
	cr_assert_not_null(strstr(back, expected), "%s: %s is not in %s", given, expected, back);
}

static void is_rejected(const char *given, const char *reason)
{
	const char *back = round_trip(given);

	cr_assert_null(back, "%s was accepted", given);
	cr_assert_not_null(strstr(error.message, reason), "%s: \"%s\" is not in \"%s\"", given,
		reason, error.message);
}

Test(send_json, missing_fields_get_their_defaults)
{
	const char *back = round_trip("{\"text\":\"\"}");

	cr_assert_str_eq(back,
		"{\"text\":\"\",\"maybe\":null,\"later\":\"x\",\"flag\":true,\"count\":5,"
		"\"total\":0,\"ratio\":0.5,\"small\":0,\"blob\":\"/w==\",\"at\":null,\"free\":null,"
		"\"tags\":[],\"map\":{},\"inner\":null}");
}

Test(send_json, union_values_have_no_type_name)
{
	comes_back("{\"text\":\"a\",\"maybe\":\"b\",\"later\":null,\"inner\":{\"id\":\"i\"}}",
		"\"maybe\":\"b\",\"later\":null");
	comes_back("{\"text\":\"a\",\"inner\":{\"id\":\"i\"}}", "\"inner\":{\"id\":\"i\",\"n\":7}");
}

Test(send_json, numbers)
{
	comes_back("{\"text\":\"\",\"count\":-2147483648,\"total\":9223372036854775807}",
		"\"count\":-2147483648,\"total\":9223372036854775807");
	comes_back("{\"text\":\"\",\"count\":3.0}", "\"count\":3,");
	comes_back("{\"text\":\"\",\"ratio\":0.1}", "\"ratio\":0.1,");
	comes_back("{\"text\":\"\",\"ratio\":3}", "\"ratio\":3,");
	is_rejected("{\"text\":\"\",\"count\":2147483648}", "count is out of range");
	is_rejected("{\"text\":\"\",\"count\":1.5}", "count is not a whole number");
	is_rejected("{\"text\":\"\",\"small\":1e300}", "small is out of the range of a float");
}

Test(send_json, texts_and_bytes)
{
	comes_back("{\"text\":\"ü\\u0000\\n\\\"\"}", "\"text\":\"ü\\u0000\\n\\\"\"");
	comes_back("{\"text\":\"\",\"blob\":\"AAEC\"}", "\"blob\":\"AAEC\"");
	comes_back("{\"text\":\"\",\"blob\":\"\"}", "\"blob\":\"\"");
	is_rejected("{\"text\":\"\",\"blob\":\"AAE\"}", "blob is not base64");
	is_rejected("{\"text\":\"\",\"blob\":\"AA*=\"}", "blob is not base64");
}

Test(send_json, times)
{
	comes_back("{\"text\":\"\",\"at\":\"2026-01-31T12:00:00.5+01:00\"}",
		"\"at\":\"2026-01-31T11:00:00.500Z\"");
	comes_back("{\"text\":\"\",\"at\":\"2026-01-31\"}", "\"at\":\"2026-01-31T00:00:00.000Z\"");
	comes_back("{\"text\":\"\",\"at\":-1}", "\"at\":\"1969-12-31T23:59:59.999Z\"");
	is_rejected("{\"text\":\"\",\"at\":\"yesterday\"}", "at is not a time");
	is_rejected("{\"text\":\"\",\"at\":\"2026-01-31T12:00:00\"}", "at is not a time");
}

Test(send_json, json_fields_hold_json)
{
	comes_back("{\"text\":\"\",\"free\":{\"a\":[1,0.1,null,\"x\"],\"b\":{}}}",
		"\"free\":{\"a\":[1,0.1,null,\"x\"],\"b\":{}}");
	comes_back("{\"text\":\"\",\"free\":\"text\"}", "\"free\":\"text\"");
	comes_back("{\"text\":\"\",\"free\":100000000000000000000000}",
		"\"free\":100000000000000000000000");
	comes_back("{\"text\":\"\",\"free\":null}", "\"free\":null");
}

Test(send_json, arrays_and_maps)
{
	comes_back("{\"text\":\"\",\"tags\":[\"a\",\"b\"],\"map\":{\"k\":1,\"l\":2}}",
		"\"tags\":[\"a\",\"b\"],\"map\":{\"k\":1,\"l\":2}");
	is_rejected("{\"text\":\"\",\"tags\":[\"a\",3]}", "tags[1] is a number, it must be a text");
	is_rejected("{\"text\":\"\",\"tags\":\"a\"}", "tags is a text, it must be an array");
	is_rejected("{\"text\":\"\",\"map\":[]}", "map is an array, it must be an object");
}

Test(send_json, wrong_properties)
{
	is_rejected("{}", "text is missing");
	is_rejected("{\"text\":null}", "text is null, it must be a text");
	is_rejected("{\"text\":\"\",\"cuont\":1}", "did you mean \"count\"?");
	is_rejected("{\"text\":\"\",\"inner\":{\"id\":\"i\",\"m\":1}}",
		"inner has no property \"m\"");
	is_rejected("[]", "is an array, it must be an object");
}

Test(send_json, a_rejected_value_leaves_nothing_behind)
{
	is_rejected("{\"text\":\"a\",\"tags\":[\"one\",\"two\",3]}", "tags[2]");
	comes_back("{\"text\":\"b\",\"tags\":[\"three\"]}", "\"tags\":[\"three\"]");
}

Test(send_json, text_that_is_not_json)
{
	is_rejected("", "not valid JSON at byte 0");
	is_rejected("{\"text\":\"\",}", "not valid JSON at byte 11");
	is_rejected("{\"text\":\"\"} x", "not valid JSON at byte 12");
	cr_assert_str_eq(error.code, "BAD_JSON");
	is_rejected("\"\xff\"", "invalid UTF-8 at byte 1");
	cr_assert_str_eq(error.code, "BAD_UTF8");
	comes_back(" \n{ \"text\" : \"a\" } ", "\"text\":\"a\"");
}

Test(send_json, limits)
{
	char deep[1001];

	memset(deep, '[', 500);
	memset(deep + 500, ']', 500);
	deep[1000] = '\0';
	is_rejected(deep, "nested more than");
	cr_assert_str_eq(error.code, "DEPTH_BEYOND_LIMIT");
	cr_assert_null(round_trip_within("{\"text\":\"0123456789\"}", 10));
	cr_assert_str_eq(error.code, "LENGTH_BEYOND_LIMIT");
	cr_assert_null(round_trip_within("{\"text\":\"\"}", 3)); /* the defaults do not fit */
	cr_assert_str_eq(error.code, "LENGTH_BEYOND_LIMIT");
}

Test(send_json, members_with_escapes_and_twice)
{
	comes_back("{\"t\\u0065xt\":\"a\",\"text\":\"b\"}", "\"text\":\"b\"");
	is_rejected("{\"\\u0000\":1}", "has no property");
}
