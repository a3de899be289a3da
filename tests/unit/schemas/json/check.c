/*
 * check.c - tests of schemas/json/check.c and schemas/base/utf8.c
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "schemas/base/utf8.h"
#include "schemas/json/check.h"
#include "tests/support/random_datum.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

struct text {
	const char *bytes;
	size_t size;
	enum unicode_verdict verdict;
};

#define TEXT(literal, verdict) { literal, sizeof(literal) - 1, verdict }

static const struct text texts[] = {
	TEXT("", UNICODE_VALID),
	TEXT("plain", UNICODE_VALID),
	TEXT("\x7F", UNICODE_VALID),
	TEXT("\xC2\x80 \xDF\xBF", UNICODE_VALID),
	TEXT("\xE0\xA0\x80 \xED\x9F\xBF \xEE\x80\x80 \xEF\xBF\xBF", UNICODE_VALID),
	TEXT("\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF", UNICODE_VALID),
	TEXT("a\0b", UNICODE_NUL),
	TEXT("\xC3\xA4\0", UNICODE_NUL),
	TEXT("\0\xFF", UNICODE_BAD),
	TEXT("\x80", UNICODE_BAD),
	TEXT("\xC0\x80", UNICODE_BAD),
	TEXT("\xC1\xBF", UNICODE_BAD),
	TEXT("\xC3", UNICODE_BAD),
	TEXT("\xC3(", UNICODE_BAD),
	TEXT("\xE0\x9F\xBF", UNICODE_BAD),
	TEXT("\xE2\x82", UNICODE_BAD),
	TEXT("\xED\xA0\x80", UNICODE_BAD),
	TEXT("\xED\xBF\xBF", UNICODE_BAD),
	TEXT("\xF0\x8F\xBF\xBF", UNICODE_BAD),
	TEXT("\xF0\x9F\x98", UNICODE_BAD),
	TEXT("\xF4\x90\x80\x80", UNICODE_BAD),
	TEXT("\xF5\x80\x80\x80", UNICODE_BAD),
	TEXT("\xFF", UNICODE_BAD),
};

/* Puts each text at each position in ASCII text, to reach every fast path of the check. */
Test(unicode, verdicts_at_every_position)
{
	for (size_t i = 0; i < COUNT(texts); i++) {
		for (size_t before = 0; before < 70; before++) {
			for (size_t after = 0; after < 20; after++) {
				char text[128];
				size_t size = before + texts[i].size + after;
				memset(text, 'x', sizeof(text));
				memcpy(text + before, texts[i].bytes, texts[i].size);
				cr_assert_eq(unicode_check(text, size), texts[i].verdict,
					"text %zu after %zu bytes", i, before);
			}
		}
	}
}

struct json {
	const char *text;
	enum json_verdict verdict;
	bool repair;
};

static const struct json jsons[] = {
	{ "null", JSON_VALID, false },
	{ " \t\r\n true \t\r\n ", JSON_VALID, false },
	{ "false", JSON_VALID, false },
	{ "0", JSON_VALID, false },
	{ "-0", JSON_VALID, false },
	{ "-12.50e-3", JSON_VALID, false },
	{ "1E+9", JSON_VALID, false },
	{ "\"\"", JSON_VALID, false },
	{ "\"a \\\" \\\\ \\/ \\b\\f\\n\\r\\t \\u00e4 \\uD83D\\uDE00\"", JSON_VALID, false },
	{ "\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\x7F\"", JSON_VALID, false },
	{ "[]", JSON_VALID, false },
	{ "[[],{},[{}]]", JSON_VALID, false },
	{ "{ \"a\" : 1 , \"b\" : [ 1 , 2 ] , \"a\" : { } }", JSON_VALID, false },
	{ "\"\\u0000\"", JSON_VALID, true },
	{ "{\"\\u0000\":1}", JSON_VALID, true },
	{ "\"\\ud800\"", JSON_VALID, true },
	{ "\"\\udc00\"", JSON_VALID, true },
	{ "\"\\uDC00\\uD800\"", JSON_VALID, true },
	{ "\"\\ud800\\ud83d\\ude00\"", JSON_VALID, true },
	{ "\"\\ud800\\n\"", JSON_VALID, true },
	{ "\"\\ud800 \\udc00\"", JSON_VALID, true },
	{ "\"\\\\u0000\"", JSON_VALID, false },
	{ "\"\\\\\\u0000\"", JSON_VALID, true },
	{ "", JSON_BAD, false },
	{ "   ", JSON_BAD, false },
	{ "nul", JSON_BAD, false },
	{ "nulls", JSON_BAD, false },
	{ "True", JSON_BAD, false },
	{ "NaN", JSON_BAD, false },
	{ "-Infinity", JSON_BAD, false },
	{ "01", JSON_BAD, false },
	{ "-", JSON_BAD, false },
	{ "+1", JSON_BAD, false },
	{ "1.", JSON_BAD, false },
	{ ".5", JSON_BAD, false },
	{ "1e", JSON_BAD, false },
	{ "1e+", JSON_BAD, false },
	{ "0x1", JSON_BAD, false },
	{ "1 2", JSON_BAD, false },
	{ "'a'", JSON_BAD, false },
	{ "\"", JSON_BAD, false },
	{ "\"a", JSON_BAD, false },
	{ "\"a\nb\"", JSON_BAD, false },
	{ "\"a\x1F\"", JSON_BAD, false },
	{ "\"\\", JSON_BAD, false },
	{ "\"\\x\"", JSON_BAD, false },
	{ "\"\\u12\"", JSON_BAD, false },
	{ "\"\\u12g4\"", JSON_BAD, false },
	{ "\"\\ud800\\uzzzz\"", JSON_BAD, false },
	{ "[", JSON_BAD, false },
	{ "]", JSON_BAD, false },
	{ "[1", JSON_BAD, false },
	{ "[1,", JSON_BAD, false },
	{ "[1,]", JSON_BAD, false },
	{ "[,1]", JSON_BAD, false },
	{ "[1 2]", JSON_BAD, false },
	{ "[1}", JSON_BAD, false },
	{ "{1:2}", JSON_BAD, false },
	{ "{\"a\"}", JSON_BAD, false },
	{ "{\"a\":}", JSON_BAD, false },
	{ "{\"a\":1,}", JSON_BAD, false },
	{ "{\"a\":1]", JSON_BAD, false },
	{ "{,}", JSON_BAD, false },
	{ "// a\n1", JSON_BAD, false },
	{ "\xEF\xBB\xBF"
	  "1",
		JSON_BAD, false },
	{ "\"\xC3\"", JSON_BAD_UTF8, false },
	{ "\"\xED\xA0\x80\"", JSON_BAD_UTF8, false },
	{ "[\"abcdefgh\xFF\"]", JSON_BAD_UTF8, false },
};

Test(json_check, verdicts)
{
	for (size_t i = 0; i < COUNT(jsons); i++) {
		struct json_check check = json_check(jsons[i].text, strlen(jsons[i].text), 10);
		cr_expect_eq(check.verdict, jsons[i].verdict, "%s: %d at %zu", jsons[i].text,
			check.verdict, check.at);
		if (check.verdict == JSON_VALID)
			cr_expect_eq(check.repair, jsons[i].repair, "%s", jsons[i].text);
	}
}

Test(json_check, nul_byte_does_not_end_the_text)
{
	cr_assert_eq(json_check("1\0", 2, 10).verdict, JSON_BAD);
	cr_assert_eq(json_check("\"a\0b\"", 5, 10).verdict, JSON_BAD);
}

Test(json_check, depth)
{
	size_t size = 2 * JSON_DEPTH_MAXIMUM + 2;
	char *text = malloc(size);
	for (size_t depth = 1; depth < JSON_DEPTH_MAXIMUM + 2; depth = depth * 2 + 1) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		cr_assert_eq(json_check(text, 2 * depth, depth).verdict,
			depth <= JSON_DEPTH_MAXIMUM ? JSON_VALID : JSON_TOO_DEEP);
		cr_assert_eq(json_check(text, 2 * depth, depth - 1).verdict, JSON_TOO_DEEP);
	}
	memset(text, '[', size);
	cr_assert_eq(json_check(text, size, SIZE_MAX).verdict, JSON_TOO_DEEP,
		"the bit stack is the bound");
	free(text);
}

/* Nests objects and arrays in turn, so that every bit of the stack matters. */
Test(json_check, mixed_nesting)
{
	char text[4096];
	for (unsigned pattern = 0; pattern < 512; pattern++) {
		size_t size = 0;
		for (int i = 0; i < 130; i++)
			size += (size_t)snprintf(text + size, sizeof(text) - size,
				pattern >> (i % 9) & 1 ? "{\"k\":" : "[");
		text[size++] = '1';
		for (int i = 129; i >= 0; i--)
			text[size++] = pattern >> (i % 9) & 1 ? '}' : ']';
		cr_assert_eq(json_check(text, size, 130).verdict, JSON_VALID);
		size_t closing = size - 1 - pattern % 130;
		text[closing] = text[closing] == '}' ? ']' : '}';
		cr_assert_eq(json_check(text, size, 130).verdict, JSON_BAD);
	}
}

/* json_check() accepts the same texts as jansson. Exceptions: jansson rejects numbers that it can't
 * hold, escaped NULs and lone surrogates. */
Test(json_check, agrees_with_jansson)
{
	static const char *const seeds[] = {
		"{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"text\":\"hi \\u00e4 \\\"x\\\"\"}],\"n\":-1.5e3}",
		"[true,false,null,0,[1,[2,[3,{}]]],\"\xC3\xA4\xE2\x82\xAC plain ascii text here\"]",
	};
	struct random random = random_seed(7);
	for (int round = 0; round < 200000; round++) {
		uint8_t text[256];
		const char *seed = seeds[round % 2];
		size_t size = strlen(seed);
		memcpy(text, seed, size);
		random_damage(&random, text, &size);
		struct json_check check = json_check((const char *)text, size, 100);
		json_error_t error;
		json_t *json = json_loadb((const char *)text, size,
			JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
		bool excused = check.repair ||
			json_error_code(&error) == json_error_numeric_overflow;
		if (json || !excused)
			cr_assert_eq(check.verdict == JSON_VALID, json != NULL, "%.*s: %s",
				(int)size, (char *)text, error.text);
		json_decref(json);
	}
}
