/*
 * json_avro.c - tests of worker/client/json_avro*.c: simple JSON to Avro and back
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/arena.h"
#include "worker/client/json_avro.h"
#include "worker/client/json_print.h"

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
static struct catalog_schema schema;
static struct json_avro *avro;
static char why[JSON_AVRO_WHY_MAX];

static void init(void)
{
	char error[256];

	arena = arena_new(0);
	schema.text = schema_text;
	schema.type = type_compile(arena, schema_text, strlen(schema_text), error, sizeof(error));
	cr_assert_not_null(schema.type, "%s", error);
	avro = json_avro_new(&schema, why);
	cr_assert_not_null(avro, "%s", why);
}

static void fini(void)
{
	json_avro_free(avro);
	arena_free(arena);
}

TestSuite(send_json, .init = init, .fini = fini);

/* Encodes, decodes and prints the JSON. The caller frees the text. NULL if json_avro rejects it. */
static char *round_trip(const char *text)
{
	json_error_t error;
	json_t *json = json_parse(text, strlen(text), &error), *back;
	struct buffer printed = { 0 };
	uint8_t *bytes;
	size_t size;
	bool ok;

	cr_assert_not_null(json, "%s: %s", text, error.text);
	ok = json_avro_encode(avro, json, &bytes, &size, why);
	json_decref(json);
	if (!ok)
		return NULL;
	back = json_avro_decode(avro, bytes, size, why);
	cr_assert_not_null(back, "%s", why);
	json_print(&printed, back, false);
	json_decref(back);
	free(bytes);
	return text_take(&printed);
}

static void comes_back(const char *given, const char *expected)
{
	char *back = round_trip(given);

	cr_assert_not_null(back, "%s: %s", given, why);
	cr_assert_not_null(strstr(back, expected), "%s: %s is not in %s", given, expected, back);
	free(back);
}

static void is_rejected(const char *given, const char *reason)
{
	char *back = round_trip(given);

	cr_assert_null(back, "%s was accepted", given);
	cr_assert_not_null(strstr(why, reason), "%s: \"%s\" is not in \"%s\"", given, reason, why);
}

Test(send_json, missing_fields_get_their_defaults)
{
	char *back = round_trip("{\"text\":\"\"}");

	cr_assert_str_eq(back,
		"{\"text\":\"\",\"maybe\":null,\"later\":\"x\",\"flag\":true,\"count\":5,"
		"\"total\":0,\"ratio\":0.5,\"small\":0,\"blob\":\"/w==\",\"at\":null,\"free\":null,"
		"\"tags\":[],\"map\":{},\"inner\":null}");
	free(back);
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
	is_rejected("{\"text\":\"\",\"count\":1.5}",
		"count is a number, it must be a whole number");
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
	comes_back("{\"text\":\"\",\"free\":100000000000000000000000}", "\"free\":1e+23");
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

Test(send_json, bytes_that_are_not_a_datum)
{
	/* An empty text, then branch 5 of a union that has two. */
	cr_assert_null(json_avro_decode(avro, "\x00\x0a", 2, why));
	cr_assert_not_null(strstr(why, "not a datum"));
}
