/*
 * send_table.c - tests of worker/cli/send_table.c
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "worker/cli/send_table.h"
#include "worker/client/json_print.h"

/* The caller frees the text. */
static char *table_of(const char *results, int columns)
{
	struct buffer text = { 0 };
	json_error_t error;
	json_t *json = json_parse(results, strlen(results), &error);

	cr_assert_not_null(json, "%s: %s", results, error.text);
	send_table_print(&text, json, columns);
	json_decref(json);
	return text_take(&text);
}

static void shows(const char *results, int columns, const char *expected)
{
	char *table = table_of(results, columns);

	cr_assert_str_eq(table, expected, "\n%s", table);
	free(table);
}

static void shows_part(const char *results, int columns, const char *part)
{
	char *table = table_of(results, columns);

	cr_assert_not_null(strstr(table, part), "%s is not in\n%s", part, table);
	free(table);
}

Test(send_table, rank_id_score_and_metadata)
{
	shows("[{\"id\":\"bees-1\",\"score\":0.91234,\"metadata\":{\"text\":\"Bees dance\"}},"
	      "{\"id\":\"b\",\"score\":-0.5,\"metadata\":null},{\"id\":\"c\",\"score\":1}]",
		60,
		"RANK  ID        SCORE  METADATA\n"
		"   1  bees-1   0.9123  {\"text\":\"Bees dance\"}\n"
		"   2  b       -0.5000  null\n"
		"   3  c        1.0000  \n");
	shows("[]", 60, "RANK  ID  SCORE  METADATA\n(nothing found)\n");
}

Test(send_table, long_values_are_cut_to_the_line)
{
	shows("[{\"id\":\"0123456789abcdef\",\"score\":0,\"metadata\":{\"text\":\"a long story\"}}]",
		36,
		"RANK  ID             SCORE  METADATA\n"
		"   1  0123456789a\u2026  0.0000  {\"text\"\u2026\n");
	/* A value that just fits is not cut. */
	shows_part("[{\"id\":\"0123456789ab\",\"score\":0,\"metadata\":\"123456\"}]", 36,
		"  0123456789ab  0.0000  \"123456\"\n");
	/* Even without room it prints a table of minimum widths. */
	shows_part("[{\"id\":\"0123456789\",\"score\":0,\"metadata\":{}}]", 1,
		"  0123456\u2026  0.0000  {}\n");
}

Test(send_table, characters_are_never_cut)
{
	/* Each character has two columns: three characters and the ellipsis fill seven of eight. */
	shows_part("[{\"id\":\"日本語日本\",\"score\":0,\"metadata\":{}}]", 1,
		"  日本語\u2026   0.0000  {}\n");
	/* A combining mark has no width and stays with its letter. */
	shows_part("[{\"id\":\"e\u0301e\u0301\",\"score\":0,\"metadata\":{}}]", 80,
		"  e\u0301e\u0301  0.0000");
	shows_part("[{\"id\":\"😀😀😀😀😀\",\"score\":0}]", 1, "  😀😀😀\u2026   0.0000");
}

Test(send_table, control_characters_become_escapes)
{
	shows_part("[{\"id\":\"a\\u001b[31m\\n\\u0000\",\"score\":0}]", 80,
		"  a\\u001b[31m\\u000a\\u0000  0.0000");
	shows_part("[{\"id\":\"\\u009b2J\\u202e\\u200b\",\"score\":0}]", 80,
		"  \\u009b2J\\u202e\\u200b  0.0000");
	shows_part(
		"[{\"id\":\"a\",\"score\":0,\"metadata\":{\"t\":\"\\u001b]0;x\\u0007\\u009c\\u2067\"}}]",
		80, "{\"t\":\"\\u001b]0;x\\u0007\\u009c\\u2067\"}\n");
	/* An escape is never cut. */
	shows_part("[{\"id\":\"abc\\u001b\\u001b\",\"score\":0}]", 1, "  abc\u2026      0.0000");
}

Test(send_table, scores_of_any_size)
{
	shows("[{\"id\":\"a\",\"score\":123456.789,\"metadata\":0},{\"id\":\"b\",\"score\":0.000012,\"metadata\":0},"
	      "{\"id\":\"c\",\"score\":-1e300,\"metadata\":0},{\"id\":\"d\",\"score\":\"NaN\",\"metadata\":0}]",
		80,
		"RANK  ID        SCORE  METADATA\n"
		"   1  a   123456.7890  0\n"
		"   2  b     1.200e-05  0\n"
		"   3  c   -1.000e+300  0\n"
		"   4  d           NaN  0\n");
}

Test(send_table, ranks_wider_than_the_heading)
{
	json_t *results = json_array();
	struct buffer text = { 0 };

	for (int i = 0; i < 10000; i++)
		json_array_append_new(results, json_pack("{s:s,s:i}", "id", "x", "score", 1));
	send_table_print(&text, results, 80);
	cr_assert(strncmp(text_string(&text), " RANK  ID", 9) == 0, "%.40s", text_string(&text));
	cr_assert_not_null(strstr(text_string(&text), "\n    1  x   1.0000"));
	cr_assert_not_null(strstr(text_string(&text), "\n10000  x   1.0000"));
	buffer_free(&text);
	json_decref(results);
}
