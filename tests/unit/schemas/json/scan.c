/*
 * scan.c - tests of schemas/json/scan.c and scan.h
 */
#include <criterion/criterion.h>
#include <string.h>

#include "schemas/json/scan.h"

static bool ends_run(unsigned char c, bool checked)
{
	return c == '"' || c == '\\' || (!checked && (c < 0x20 || c >= 0x80));
}

/* The fast paths read 16 and 8 bytes, so this tests each byte value at each position and size. */
Test(scan, run_of_every_size)
{
	char text[48];
	for (size_t size = 0; size <= sizeof(text); size++)
		for (size_t place = 0; place < size; place++)
			for (int byte = 0; byte < 256; byte++) {
				memset(text, 'x', sizeof(text));
				text[place] = (char)byte;
				for (size_t more = place + 1; more < size; more++)
					text[more] = (char)(more * 37);
				size_t run = 0, plain = 0;
				while (run < size && !ends_run((unsigned char)text[run], true))
					run++;
				while (plain < size && !ends_run((unsigned char)text[plain], false))
					plain++;
				cr_assert_eq(json_scan_run(text, text + size), text + run);
				cr_assert_eq(json_scan_plain(text, text + size), text + plain);
			}
}

Test(scan, escapes)
{
	static const struct {
		const char *text;
		int point;
		size_t size; /* of a bad escape: up to the byte that is wrong */
	} cases[] = {
		{ "\\\"", '"', 2 },
		{ "\\\\x", '\\', 2 },
		{ "\\/", '/', 2 },
		{ "\\b", '\b', 2 },
		{ "\\f", '\f', 2 },
		{ "\\n", '\n', 2 },
		{ "\\r", '\r', 2 },
		{ "\\t", '\t', 2 },
		{ "\\u0000", 0, 6 },
		{ "\\u00e9\\u0041", 0xe9, 6 },
		{ "\\uFfFf", 0xffff, 6 },
		{ "\\ud83d\\ude00", 0x1f600, 12 },
		{ "\\uD83D\\uDE00", 0x1f600, 12 },
		{ "\\ud83d", 0xd83d, 6 },
		{ "\\ud83d\\u0041", 0xd83d, 6 },
		{ "\\ud83d\\n", 0xd83d, 6 },
		{ "\\ud83d\\ude0", 0xd83d, 6 },
		{ "\\ude00\\ud83d", 0xde00, 6 },
		{ "\\", JSON_SCAN_BAD, 1 },
		{ "\\x", JSON_SCAN_BAD, 1 },
		{ "\\U0041", JSON_SCAN_BAD, 1 },
		{ "\\u", JSON_SCAN_BAD, 2 },
		{ "\\u004", JSON_SCAN_BAD, 5 },
		{ "\\u00g1", JSON_SCAN_BAD, 4 },
		{ "\\u-041", JSON_SCAN_BAD, 2 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *at = cases[i].text;
		int point = json_scan_escape(&at, at + strlen(at));
		cr_expect_eq(point, cases[i].point, "%s is %d", cases[i].text, point);
		cr_expect_eq((size_t)(at - cases[i].text), cases[i].size, "%s", cases[i].text);
	}
}

Test(scan, ends_of_values)
{
	static const struct {
		const char *text;
		size_t size;
	} cases[] = {
		{ "\"\" ", 2 },
		{ "\"a\\\"b\\\\\",", 8 },
		{ "{\"}\":[\"]\",{}]},", 14 },
		{ "[] ", 2 },
		{ "-1.5e+7}", 7 },
		{ "true\n", 4 },
		{ "null", 4 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *text = cases[i].text, *end = text + strlen(text);
		cr_expect_eq((size_t)(json_scan_value(text, end) - text), cases[i].size, "%s",
			text);
	}
}

/* A text that is not JSON must not move a caller past its end. */
Test(scan, cut_texts_end_at_their_end)
{
	static const char *const texts[] = { "\"abc", "\"abc\\", "[1,\"a", "{\"a\":[", "12" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *end = texts[i] + strlen(texts[i]);
		cr_expect_eq(json_scan_value(texts[i], end), end, "%s", texts[i]);
	}
}
