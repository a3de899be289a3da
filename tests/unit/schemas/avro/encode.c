/*
 * encode.c - tests of schemas/avro/encode.c and framing*.c
 */
#include <criterion/criterion.h>
#include <string.h>

#include "schemas/avro/encode.h"
#include "schemas/avro/framing.h"
#include "schemas/avro/type.h"
#include "schemas/base/text.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define MAXIMUM 64

static struct arena *arena;
static struct buffer out;
static char error[256];

static void set_up(void)
{
	arena = arena_new(0);
	out = buffer_empty(MAXIMUM);
}

static void tear_down(void)
{
	arena_free(arena);
	buffer_free(&out);
}

TestSuite(encode, .init = set_up, .fini = tear_down);
TestSuite(framing, .init = set_up, .fini = tear_down);

static enum encode_verdict encoded(const char *schema, struct datum datum)
{
	const struct type *type = type_compile(arena, schema, strlen(schema), error, sizeof(error));
	cr_assert_not_null(type, "%s", error);
	return encode(&out, type, &datum, error, sizeof(error));
}

static bool gives(const char *schema, struct datum datum, const char *bytes, size_t size)
{
	buffer_clear(&out);
	return encoded(schema, datum) == ENCODE_OK && out.size == size &&
		(!size || memcmp(out.data, bytes, size) == 0);
}

#define GIVES(schema, datum, bytes) \
	cr_expect(gives(schema, datum, bytes, sizeof(bytes) - 1), "%s", #datum)

Test(encode, scalars)
{
	GIVES("\"null\"", datum_null(), "");
	GIVES("\"boolean\"", datum_boolean(true), "\x01");
	GIVES("\"int\"", datum_integer(-64), "\x7F");
	GIVES("\"int\"", datum_integer(64), "\x80\x01");
	GIVES("\"long\"", datum_integer(INT64_MIN), "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01");
	GIVES("\"float\"", datum_real(1.5), "\0\0\xC0\x3F");
	GIVES("\"double\"", datum_real(-1.5), "\0\0\0\0\0\0\xF8\xBF");
	GIVES("\"double\"", datum_integer(1), "\0\0\0\0\0\0\xF0\x3F");
	GIVES("\"string\"", datum_string("hi"), "\x04hi");
	GIVES("\"bytes\"", datum_text("\0", 1), "\x02\0");
	GIVES("[\"null\",\"int\"]", datum_null(), "\x00");
	GIVES("[\"null\",\"int\"]", datum_integer(1), "\x02\x02");
	GIVES("[\"int\",\"null\"]", datum_null(), "\x02");
	GIVES("[\"int\",\"null\"]", datum_integer(1), "\x00\x02");
}

Test(encode, containers)
{
	struct datum items[] = { datum_string("k"), datum_integer(1), datum_string("l"),
		datum_integer(2) };
	GIVES("{\"type\":\"map\",\"values\":\"int\"}", datum_map(items, 2),
		"\x04\x02k\x02\x02l\x04\x00");
	struct datum numbers[] = { datum_integer(1), datum_integer(2) };
	GIVES("{\"type\":\"array\",\"items\":\"int\"}", datum_array(numbers, 2),
		"\x04\x02\x04\x00");
	GIVES("{\"type\":\"array\",\"items\":\"int\"}", datum_array(NULL, 0), "\x00");
	GIVES("{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"},{\"name\":\"b\",\"type\":\"long\"}]}",
		datum_record(numbers, 2), "\x02\x04");
	GIVES("{\"type\":\"record\",\"name\":\"R\",\"fields\":[]}", datum_record(NULL, 0), "");
}

Test(encode, misfits)
{
	static const char record[] =
		"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"list\",\"type\":"
		"{\"type\":\"array\",\"items\":[\"null\",\"int\"]}}]}";
	struct datum text = datum_string("x"), list[] = { datum_null(), text },
		     array = datum_array(list, 2);
	const struct {
		const char *schema;
		struct datum datum;
		const char *reason;
	} misfits[] = {
		{ "\"null\"", text, "does not fit null" },
		{ "\"boolean\"", datum_null(), "does not fit boolean" },
		{ "\"int\"", datum_real(1), "does not fit int" },
		{ "\"int\"", datum_integer(INT64_C(2147483648)),
			"does not fit int: the number is out of range" },
		{ "\"long\"", text, "does not fit long" },
		{ "\"double\"", text, "does not fit double" },
		{ "\"string\"", datum_integer(1), "does not fit string" },
		{ "\"string\"", datum_null(), "does not fit string" },
		{ "{\"type\":\"array\",\"items\":\"int\"}", datum_map(list, 1),
			"does not fit array" },
		{ "{\"type\":\"map\",\"values\":\"int\"}", array, "does not fit map" },
		{ "{\"type\":\"map\",\"values\":\"int\"}", datum_map(list, 1),
			"{0}: does not fit string" },
		{ record, text, "does not fit record" },
		{ record, datum_record(list, 2),
			"does not fit record: the datum has another number of fields" },
		{ record, datum_record(&array, 1),
			"list[1]: does not fit null or int: the datum has another kind" },
	};
	text_add(&out, "before");
	for (size_t i = 0; i < COUNT(misfits); i++) {
		cr_expect_eq(encoded(misfits[i].schema, misfits[i].datum), ENCODE_MISFIT,
			"case %zu", i);
		cr_expect_eq(strncmp(error, misfits[i].reason, strlen(misfits[i].reason)), 0,
			"case %zu: %s", i, error);
		cr_expect_eq(out.size, 6, "nothing of it is left");
	}
}

Test(encode, too_large)
{
	char text[MAXIMUM] = "";
	cr_assert_eq(encoded("\"bytes\"", datum_text(text, MAXIMUM - 2)), ENCODE_OK);
	buffer_clear(&out);
	cr_assert_eq(encoded("\"bytes\"", datum_text(text, MAXIMUM)), ENCODE_TOO_LARGE);
	cr_assert_eq(out.size, 0);
	cr_assert_str_eq(error, "is larger than 64 bytes");
}

Test(framing, single_object)
{
	framing_write(&out, UINT64_C(0x0123456789abcdef));
	text_add(&out, "xyz");
	cr_assert_arr_eq(out.data, "\xC3\x01\xEF\xCD\xAB\x89\x67\x45\x23\x01xyz", 13);
	struct framing framing = framing_parse(out.data, out.size);
	cr_assert_eq(framing.kind, FRAMING_SINGLE_OBJECT);
	cr_assert_eq(framing.fingerprint, UINT64_C(0x0123456789abcdef));
	cr_assert_eq(framing.datum_size, 3);
	cr_assert_eq(framing.datum, out.data + 10);
	cr_assert_eq(framing_parse(out.data, 10).datum_size, 0);
}

Test(framing, registry)
{
	struct framing framing = framing_parse("\0\x01\x02\x03\x04z", 6);
	cr_assert_eq(framing.kind, FRAMING_REGISTRY);
	cr_assert_eq(framing.registry_id, 0x01020304);
	cr_assert_eq(framing.datum_size, 1);
	cr_assert_not(framing_accepted(&framing));
}

Test(framing, every_kind_reads_what_it_writes)
{
	for (enum framing_kind kind = FRAMING_UNKNOWN + 1; kind <= FRAMING_REGISTRY; kind++) {
		struct framing written = { .kind = kind };
		if (kind == FRAMING_SINGLE_OBJECT)
			written.fingerprint = UINT64_C(0xfedcba9876543210);
		else
			written.registry_id = UINT32_C(0xfedcba98);
		buffer_clear(&out);
		framing_write_header(&out, &written);
		struct framing read = framing_parse(out.data, out.size);
		cr_expect_eq(read.kind, kind);
		cr_expect_eq(read.fingerprint, written.fingerprint);
		cr_expect_eq(read.registry_id, written.registry_id);
		cr_expect_eq(read.datum_size, 0);
		cr_expect_eq(framing_accepted(&read), kind == FRAMING_SINGLE_OBJECT);
	}
}

Test(framing, unknown)
{
	static const struct {
		const char *bytes;
		size_t size;
	} unknown[] = { { NULL, 0 }, { "\xC3", 1 },
		{ "\xC3\x01"
		  "1234567",
			9 },
		{ "\xC3\x02"
		  "12345678",
			10 },
		{ "\0\0\0\0", 4 }, { "{\"a\":1, \"b\":2}", 14 } };
	for (size_t i = 0; i < COUNT(unknown); i++)
		cr_expect_eq(framing_parse(unknown[i].bytes, unknown[i].size).kind, FRAMING_UNKNOWN,
			"case %zu", i);
}
