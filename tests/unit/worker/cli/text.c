/*
 * text.c - tests of nearest, address, base64, lines and json_print
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "schemas/base/address.h"
#include "schemas/base/base64.h"
#include "schemas/base/nearest.h"
#include "worker/cli/lines.h"
#include "worker/client/json_print.h"

Test(nearest, distances)
{
	cr_assert_eq(nearest_distance("", ""), 0);
	cr_assert_eq(nearest_distance("abc", ""), 3);
	cr_assert_eq(nearest_distance("kitten", "sitting"), 3);
	cr_assert_eq(nearest_distance("ab", "ba"), 1);
	cr_assert_eq(nearest_distance("Max", "max"), 0);
}

Test(nearest, finds_only_near_words)
{
	struct nearest near = { .wanted = "lockTimoutMillis" };

	nearest_offer(&near, "idleTimeoutMillis");
	nearest_offer(&near, "lockTimeoutMillis");
	nearest_offer(&near, "schemaName");
	cr_assert_str_eq(near.found, "lockTimeoutMillis");
	near = (struct nearest){ .wanted = "banana" };
	nearest_offer(&near, "schemaName");
	cr_assert_null(near.found);
}

Test(address, forms)
{
	struct address address;
	char why[200];

	cr_assert(address_parse("127.0.0.1:9464", &address, why, sizeof(why)));
	cr_assert_str_eq(address.host, "127.0.0.1");
	cr_assert_str_eq(address.port, "9464");
	cr_assert(address_parse("[::1]:80", &address, why, sizeof(why)));
	cr_assert_str_eq(address.host, "::1");
	cr_assert(address_parse(":0", &address, why, sizeof(why)));
	cr_assert_str_eq(address.host, "");
	cr_assert_not(address_parse("localhost", &address, why, sizeof(why)));
	cr_assert_not(address_parse("::1:80", &address, why, sizeof(why)));
	cr_assert_not(address_parse("[::1]", &address, why, sizeof(why)));
	cr_assert_not(address_parse("a:65536", &address, why, sizeof(why)));
	cr_assert_not(address_parse("a:-1", &address, why, sizeof(why)));
	cr_assert_not(address_parse("a b:1", &address, why, sizeof(why)));
}

Test(base64, both_ways)
{
	uint8_t bytes[64], *back;

	for (size_t size = 0; size < sizeof(bytes); size++) {
		struct buffer text = { 0 };
		size_t back_size;

		for (size_t i = 0; i < size; i++)
			bytes[i] = (uint8_t)(i * 37 + size);
		base64_write(&text, bytes, size);
		cr_assert(base64_read(text_string(&text), text.size, &back, &back_size));
		cr_assert_eq(back_size, size);
		cr_assert_arr_eq(back, bytes, size);
		free(back);
		buffer_free(&text);
	}
}

Test(json_print, shortest_numbers_and_escapes)
{
	json_error_t error;
	const char given[] =
		"{\"a\":[0.1,1e100,123456789012345678,-0.5],\"b\":\"\\u0001\\u009bü\\\\\",\"c\":{}}";
	json_t *json = json_parse(given, strlen(given), &error);
	struct buffer text = { 0 };

	json_print(&text, json, false);
	cr_assert_str_eq(text_string(&text),
		"{\"a\":[0.1,1e+100,123456789012345678,-0.5],\"b\":\"\\u0001\\u009bü\\\\\",\"c\":{}}");
	buffer_clear(&text);
	json_print(&text, json_object_get(json, "a"), true);
	cr_assert_str_eq(text_string(&text),
		"[\n  0.1,\n  1e+100,\n  123456789012345678,\n  -0.5\n]");
	buffer_free(&text);
	json_decref(json);
}

Test(lines, arrive_complete_and_in_order)
{
	struct lines lines;
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	lines = lines_of(ends[0]);
	cr_assert_null(lines_next(&lines));
	cr_assert_eq(write(ends[1], "one\n\ntw", 7), 7);
	cr_assert(lines_fill(&lines, 0));
	cr_assert_str_eq(lines_next(&lines), "one");
	cr_assert_str_eq(lines_next(&lines), "");
	cr_assert_null(lines_next(&lines));
	cr_assert(lines_fill(&lines, 0));
	cr_assert_null(lines_next(&lines));
	cr_assert_eq(write(ends[1], "o\nlast", 6), 6);
	close(ends[1]);
	cr_assert(lines_fill(&lines, 0));
	cr_assert_str_eq(lines_next(&lines), "two");
	cr_assert_null(lines_next(&lines));
	cr_assert(lines_fill(&lines, 0));
	cr_assert(lines.ended);
	cr_assert_str_eq(lines_next(&lines), "last");
	cr_assert_null(lines_next(&lines));
	lines_free(&lines);
}
