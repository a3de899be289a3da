/*
 * type.c - tests of schemas/avro/type.c, schemas/avro/type_default.c and schemas/avro/canonical.c
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "schemas/avro/canonical.h"
#include "schemas/avro/type.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define RECORD(fields) "{\"type\":\"record\",\"name\":\"a.R\",\"fields\":[" fields "]}"
#define FIELD(type) RECORD("{\"name\":\"f\",\"type\":" type "}")

static struct arena *arena;
static char error[512];

static void set_up(void)
{
	arena = arena_new(0);
}

static void tear_down(void)
{
	arena_free(arena);
}

TestSuite(type, .init = set_up, .fini = tear_down);
TestSuite(canonical, .init = set_up, .fini = tear_down);

static const struct type *compiled(const char *schema)
{
	const struct type *type = type_compile(arena, schema, strlen(schema), error, sizeof(error));
	cr_assert_not_null(type, "%s: %s", schema, error);
	return type;
}

Test(type, shapes)
{
	const struct type *type = compiled(RECORD(
		"{\"name\":\"id\",\"type\":\"string\"},"
		"{\"name\":\"time\",\"type\":[{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"},\"null\"]},"
		"{\"name\":\"data\",\"type\":{\"type\":\"map\",\"values\":{\"type\":\"string\",\"logicalType\":\"json\"}}},"
		"{\"name\":\"inner\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"In\",\"fields\":["
		"{\"name\":\"x\",\"type\":{\"type\":{\"type\":\"int\"}}}]}}},"
		"{\"name\":\"again\",\"type\":[\"null\",\"In\"]}"));
	cr_assert_eq(type->kind, TYPE_RECORD);
	cr_assert_str_eq(type->name, "a.R");
	cr_assert_eq(type->field_count, 5);
	cr_assert_eq(type->fields[1].type->kind, TYPE_LONG);
	cr_assert_eq(type->fields[1].type->logical, LOGICAL_TIMESTAMP_MILLIS);
	cr_assert(type->fields[1].type->nullable);
	cr_assert_eq(type->fields[1].type->null_branch, 1);
	cr_assert_eq(type->fields[2].type->item->logical, LOGICAL_JSON);
	cr_assert_str_eq(type->fields[3].type->item->name, "a.In");
	cr_assert_eq(type->fields[3].type->item->fields[0].type->kind, TYPE_INT);
	cr_assert_eq(type->fields[4].type->kind, TYPE_RECORD);
	cr_assert_eq(type->fields[4].type->null_branch, 0);
	cr_assert_not(type->fields[3].type->item->nullable);
	cr_assert_eq(type_field_index(type, "inner", 5), 3);
	cr_assert_eq(type_field_index(type, "inn", 3), -1);
	cr_assert_eq(type_field_index(type, "inner\0", 6), -1);
}

static const struct {
	const char *schema;
	const char *reason;
} refused[] = {
	{ "{", "not JSON" },
	{ "5", "is not a name" },
	{ "\"x\"", "type x is not defined" },
	{ RECORD("{\"name\":\"f\"}"), "f: a type is missing" },
	{ RECORD("{\"type\":\"int\"}"), "no name" },
	{ RECORD("{\"name\":\"f\",\"type\":\"int\"},{\"name\":\"f\",\"type\":\"int\"}"),
		"f: the record has two fields" },
	{ "{\"type\":\"record\",\"name\":\"R\"}", "has no fields" },
	{ "{\"type\":\"record\",\"fields\":[]}", "has no name" },
	{ FIELD("\"R\""), "f: a.R contains itself" },
	{ FIELD("[\"null\",{\"type\":\"array\",\"items\":\"a.R\"}]"), "contains itself" },
	{ FIELD("[\"int\",\"string\"]"), "a union must consist" },
	{ FIELD("[\"null\",\"null\"]"), "a union must consist" },
	{ FIELD("[\"null\",\"int\",\"string\"]"), "a union must consist" },
	{ FIELD("[\"null\",[\"null\",\"int\"]]"), "a union is directly" },
	{ FIELD("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}"),
		"f: type enum is not supported" },
	{ FIELD("{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}"), "type fixed is not supported" },
	{ FIELD("{\"type\":\"array\"}"), "a type is missing" },
	{ FIELD("{\"type\":\"record\",\"name\":\"a.R\",\"fields\":[]}"), "is defined twice" },
	{ RECORD("{\"name\":\"f\",\"type\":\"int\",\"default\":\"1\"}"), "f: the default" },
	{ RECORD("{\"name\":\"f\",\"type\":\"int\",\"default\":2147483648}"), "f: the default" },
	{ RECORD("{\"name\":\"f\",\"type\":[\"null\",\"int\"],\"default\":1}"), "f: the default" },
	{ RECORD("{\"name\":\"f\",\"type\":[\"int\",\"null\"],\"default\":null}"),
		"f: the default" },
	{ RECORD("{\"name\":\"f\",\"type\":\"bytes\",\"default\":\"\\u0100\"}"), "f: the default" },
	{ RECORD("{\"name\":\"f\",\"type\":{\"type\":\"string\",\"logicalType\":\"json\"},\"default\":\"{\"}"),
		"f: the default" },
};

Test(type, refused)
{
	for (size_t i = 0; i < COUNT(refused); i++) {
		const char *schema = refused[i].schema;
		cr_expect_null(type_compile(arena, schema, strlen(schema), error, sizeof(error)),
			"%s", schema);
		cr_expect_not_null(strstr(error, refused[i].reason), "%s: %s", schema, error);
	}
}

/* Deep types as nested JSON, and as records that use the previous record: R0 has an int, R1 an R0. */
Test(type, depth)
{
	char schema[16384];
	size_t size = 0;
	for (int i = 0; i < 5000; i++)
		schema[size++] = '[';
	cr_assert_null(type_compile(arena, schema, size, error, sizeof(error)));
	for (int depth = TYPE_DEPTH_MAXIMUM - 1; depth <= TYPE_DEPTH_MAXIMUM + 1; depth++) {
		size = 0;
		for (int i = 0; i < depth; i++)
			size += (size_t)snprintf(schema + size, sizeof(schema) - size,
				"{\"type\":\"array\",\"items\":");
		size += (size_t)snprintf(schema + size, sizeof(schema) - size, "\"int\"");
		for (int i = 0; i < depth; i++)
			schema[size++] = '}';
		bool ok = type_compile(arena, schema, size, error, sizeof(error)) != NULL;
		cr_assert_eq(ok, depth <= TYPE_DEPTH_MAXIMUM, "%s", error);
	}
	size = (size_t)snprintf(schema, sizeof(schema),
		"{\"type\":\"record\",\"name\":\"R\",\"fields\":[");
	for (int i = 0; i < 40; i++) {
		char inner[16] = "int";
		if (i)
			snprintf(inner, sizeof(inner), "R%d", i - 1);
		size += (size_t)snprintf(schema + size, sizeof(schema) - size,
			"%s{\"name\":\"f%d\",\"type\":{\"type\":\"record\",\"name\":\"R%d\",\"fields\":[{\"name\":\"x\",\"type\":\"%s\"}]}}",
			i ? "," : "", i, i, inner);
	}
	size += (size_t)snprintf(schema + size, sizeof(schema) - size, "]}");
	cr_assert_null(type_compile(arena, schema, size, error, sizeof(error)));
	cr_assert_not_null(strstr(error, "nested more than"), "%s", error);
}

static const struct datum *default_of(const char *type, const char *value)
{
	char schema[512];
	snprintf(schema, sizeof(schema), RECORD("{\"name\":\"f\",\"type\":%s,\"default\":%s}"),
		type, value);
	const struct type_field *field = compiled(schema)->fields;
	cr_assert(field->has_default);
	return &field->default_value;
}

static bool is_text(const struct datum *datum, const char *text, size_t size)
{
	return datum->kind == DATUM_TEXT && datum->size == size &&
		memcmp(datum->text, text, size) == 0;
}

Test(type, defaults)
{
	cr_assert(datum_is_null(default_of("[\"null\",\"int\"]", "null")));
	cr_assert_eq(default_of("[\"int\",\"null\"]", "-7")->integer, -7);
	cr_assert(default_of("\"boolean\"", "true")->boolean);
	cr_assert_eq(default_of("\"long\"", "9007199254740993")->integer, 9007199254740993);
	cr_assert_float_eq(default_of("\"double\"", "1.5")->real, 1.5, 0);
	cr_assert_float_eq(default_of("\"float\"", "2")->real, 2, 0);
	cr_assert(is_text(default_of("\"string\"", "\"h\xC3\xA4\""), "h\xC3\xA4", 3));
	cr_assert(is_text(default_of("\"bytes\"", "\"a\\u00ff\\u0080\""), "a\xFF\x80", 3));
	cr_assert_eq(default_of("{\"type\":\"array\",\"items\":\"string\"}", "[]")->size, 0);
	const struct datum *array = default_of("{\"type\":\"array\",\"items\":[\"int\",\"null\"]}",
		"[1,2]");
	cr_assert_eq(array->items[1].integer, 2);
	const struct datum *map = default_of("{\"type\":\"map\",\"values\":\"int\"}", "{\"k\":5}");
	cr_assert_eq(map->size, 1);
	cr_assert(is_text(&map->items[0], "k", 1));
	cr_assert_eq(map->items[1].integer, 5);
	const struct datum *record = default_of(
		"{\"type\":\"record\",\"name\":\"S\",\"fields\":["
		"{\"name\":\"x\",\"type\":\"int\"},{\"name\":\"y\",\"type\":\"int\",\"default\":9}]}",
		"{\"x\":1}");
	cr_assert_eq(record->items[0].integer, 1);
	cr_assert_eq(record->items[1].integer, 9);
	const struct datum *json = default_of("{\"type\":\"string\",\"logicalType\":\"json\"}",
		"\"\\\"\\\\u0000\\\"\"");
	cr_assert_eq(json->flags, DATUM_JSON_REPAIR);
}

/* The forms and fingerprints are results of Java's SchemaNormalization (avro 1.11.4). */
static const struct {
	const char *schema;
	const char *form;
	uint64_t fingerprint;
} normal[] = {
	{ "\"null\"", "\"null\"", UINT64_C(0x63dd24e7cc258f8a) },
	{ "{\"type\":\"fixed\",\"name\":\"my.Md5\",\"size\":16}",
		"{\"name\":\"my.Md5\",\"type\":\"fixed\",\"size\":16}",
		UINT64_C(0x07ed6094ee45906d) },
	{ "{\"type\":\"enum\",\"name\":\"E\",\"namespace\":\"x.y\",\"symbols\":[\"A\",\"B\"],\"doc\":\"d\",\"default\":\"A\"}",
		"{\"name\":\"x.y.E\",\"type\":\"enum\",\"symbols\":[\"A\",\"B\"]}",
		UINT64_C(0x90c5721c7178d492) },
	{ "{\"namespace\":\"a.b\",\"type\":\"record\",\"name\":\"R\",\"aliases\":[\"Q\"],\"fields\":["
	  "{\"default\":1,\"name\":\"f\",\"type\":{\"type\":\"int\"},\"order\":\"ignore\"},{\"name\":\"g\",\"type\":"
	  "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"c.S\",\"fields\":[{\"name\":\"r\",\"type\":[\"null\",\"a.b.R\"]},"
	  "{\"name\":\"t\",\"type\":{\"type\":\"map\",\"values\":{\"type\":\"enum\",\"name\":\"T\",\"symbols\":[]}}},"
	  "{\"name\":\"u\",\"type\":\"T\"}]}}},{\"name\":\"h\",\"type\":\"c.S\"},"
	  "{\"name\":\"i\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":4}}]}",
		"{\"name\":\"a.b.R\",\"type\":\"record\",\"fields\":[{\"name\":\"f\",\"type\":\"int\"},{\"name\":\"g\",\"type\":"
		"{\"type\":\"array\",\"items\":{\"name\":\"c.S\",\"type\":\"record\",\"fields\":[{\"name\":\"r\",\"type\":[\"null\",\"a.b.R\"]},"
		"{\"name\":\"t\",\"type\":{\"type\":\"map\",\"values\":{\"name\":\"c.T\",\"type\":\"enum\",\"symbols\":[]}}},"
		"{\"name\":\"u\",\"type\":\"c.T\"}]}}},{\"name\":\"h\",\"type\":\"c.S\"},{\"name\":\"i\",\"type\":\"bytes\"}]}",
		UINT64_C(0x8b8eab89ce9dc164) },
	{ "[\"null\",\"string\",{\"type\":\"array\",\"items\":\"bytes\"}]",
		"[\"null\",\"string\",{\"type\":\"array\",\"items\":\"bytes\"}]",
		UINT64_C(0xd8dcb300137eb958) },
	{ "{\"type\":\"record\",\"name\":\"Lisp\",\"fields\":[{\"name\":\"value\",\"type\":[\"null\",\"string\","
	  "{\"type\":\"record\",\"name\":\"Cons\",\"fields\":[{\"name\":\"car\",\"type\":\"Lisp\"},{\"name\":\"cdr\",\"type\":\"Lisp\"}]}]}]}",
		"{\"name\":\"Lisp\",\"type\":\"record\",\"fields\":[{\"name\":\"value\",\"type\":[\"null\",\"string\","
		"{\"name\":\"Cons\",\"type\":\"record\",\"fields\":[{\"name\":\"car\",\"type\":\"Lisp\"},{\"name\":\"cdr\",\"type\":\"Lisp\"}]}]}]}",
		UINT64_C(0x06b3a0ed231ad968) },
};

Test(canonical, form_and_fingerprint)
{
	for (size_t i = 0; i < COUNT(normal); i++) {
		struct buffer form = buffer_empty(10000);
		const char *schema = normal[i].schema;
		cr_assert(canonical_form(&form, schema, strlen(schema), error, sizeof(error)), "%s",
			error);
		cr_expect_eq(form.size, strlen(normal[i].form));
		cr_expect_arr_eq(form.data, normal[i].form, form.size, "%.*s", (int)form.size,
			(char *)form.data);
		uint64_t fingerprint;
		cr_assert(canonical_fingerprint(&fingerprint, schema, strlen(schema), error,
			sizeof(error)));
		cr_expect_eq(fingerprint, normal[i].fingerprint, "%016" PRIx64, fingerprint);
		buffer_free(&form);
	}
}

Test(canonical, of_no_bytes)
{
	cr_assert_eq(canonical_crc64("", 0), UINT64_C(0xc15d213aa4d7a795));
}

Test(canonical, quoted_size_of_fixed)
{
	struct buffer form = buffer_empty(1000);
	const char schema[] = "{\"type\":\"fixed\",\"name\":\"F\",\"size\":\"0016\"}";
	cr_assert(canonical_form(&form, schema, strlen(schema), error, sizeof(error)));
	cr_assert_arr_eq(form.data, "{\"name\":\"F\",\"type\":\"fixed\",\"size\":16}", form.size);
	buffer_free(&form);
}

Test(canonical, refused)
{
	static const char *const schemas[] = { "", "{", "7", "{}",
		"{\"type\":\"record\",\"name\":\"R\"}",
		"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{}]}", "{\"type\":\"array\"}",
		"{\"type\":\"fixed\",\"name\":\"F\"}", "{\"type\":\"enum\",\"symbols\":[]}" };
	uint64_t fingerprint;
	for (size_t i = 0; i < COUNT(schemas); i++) {
		*error = '\0';
		cr_expect_not(canonical_fingerprint(&fingerprint, schemas[i], strlen(schemas[i]),
			error, sizeof(error)));
		cr_expect_neq(*error, '\0', "%s", schemas[i]);
	}
}
