/*
 * send_table.c - prints the results of vectors.query as a table
 */
#define _GNU_SOURCE /* wcwidth */
#include "worker/cli/send_table.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "schemas/base/utf8.h"
#include "worker/client/json_print.h"

#define COLUMNS_DEFAULT 80
#define COLUMNS_MAX 10000
#define GAP "  "
#define GAP_WIDTH 2
#define ID_SHARE 3 /* an id takes up to a third of the line */
#define ID_MIN 8   /* at least, even on a narrow line */
#define METADATA_MIN 8
#define SCORE_SIZE 32
#define ELLIPSIS "\u2026"

/* A character as printed, perhaps as an escape. */
struct glyph {
	char text[12];
	int width;
};

struct widths {
	int rank, id, score, metadata;
};

bool send_table_fits(const char *command)
{
	return strcmp(command, "vectors.query") == 0;
}

int send_table_columns(void)
{
	const char *text = getenv("COLUMNS");
	struct winsize size;
	int columns = 0;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		columns = size.ws_col;
	else if (text)
		columns = atoi(text);
	return columns > 0 && columns <= COLUMNS_MAX ? columns : COLUMNS_DEFAULT;
}

/* ---------------------------------------------------------------- characters */

/* Invisible characters, and marks that change the text's direction. */
static bool is_hidden(wchar_t c)
{
	return c == 0x061c || c == 0x200b || (c >= 0x200e && c <= 0x200f) ||
		(c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

/* Decodes a valid UTF-8 character of `size` bytes. */
static wchar_t send_table_decode(const char *bytes, size_t size)
{
	static const unsigned char masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	wchar_t c = (unsigned char)bytes[0] & masks[size];

	for (size_t i = 1; i < size; i++)
		c = c << 6 | ((unsigned char)bytes[i] & 0x3f);
	return c;
}

/* Returns the number of bytes read. The thread's locale determines the width. */
static size_t next_glyph(const char *at, const char *end, struct glyph *glyph)
{
	size_t size = unicode_step(at, end);
	wchar_t c = size ? send_table_decode(at, size) : 0;

	glyph->width = size && !is_hidden(c) ? wcwidth(c) : -1;
	if (!size)
		snprintf(glyph->text, sizeof(glyph->text), "\\x%02x", (unsigned char)*at);
	else if (glyph->width < 0 || c == 0)
		snprintf(glyph->text, sizeof(glyph->text), "\\u%04x", (unsigned)c);
	else
		snprintf(glyph->text, sizeof(glyph->text), "%.*s", (int)size, at);
	if (glyph->width < 0 || c == 0)
		glyph->width = (int)strlen(glyph->text);
	return size ? size : 1;
}

/* The printed width of a text, at most `most` + 1. */
static int width_of(const char *text, size_t len, int most)
{
	int width = 0;

	for (const char *at = text; at < text + len && width <= most;) {
		struct glyph glyph;

		at += next_glyph(at, text + len, &glyph);
		width += glyph.width;
	}
	return width <= most ? width : most + 1;
}

/* Adds the text, cut to `most` columns with an ellipsis at the end. Returns its width. */
static int add_shown(struct buffer *out, const char *text, size_t len, int most)
{
	bool cut = width_of(text, len, most) > most;
	int width = 0;

	for (const char *at = text; at < text + len;) {
		struct glyph glyph;

		at += next_glyph(at, text + len, &glyph);
		if (cut && width + glyph.width > most - 1)
			break;
		text_add(out, glyph.text);
		width += glyph.width;
	}
	if (cut)
		text_add(out, ELLIPSIS);
	return width + cut;
}

static void add_blanks(struct buffer *out, int count)
{
	for (int i = 0; i < count; i++)
		text_add(out, " ");
}

/* ---------------------------------------------------------------- the columns */

/* Writes four decimals, or an exponent for very small and very large scores. */
static void write_score(const json_t *result, char score[SCORE_SIZE])
{
	const json_t *value = json_object_get(result, "score");
	double number = json_number_value(value), size = fabs(number);

	if (json_is_string(value)) /* "NaN" or an infinity */
		snprintf(score, SCORE_SIZE, "%.16s", json_string_value(value));
	else if (number == 0 || (size >= 0.001 && size < 1e6))
		snprintf(score, SCORE_SIZE, "%.4f", number);
	else
		snprintf(score, SCORE_SIZE, "%.3e", number);
}

static int at_least(int width, int least)
{
	return width < least ? least : width;
}

static struct widths send_table_measure(const json_t *results, int columns)
{
	int most = at_least(columns / ID_SHARE, ID_MIN);
	struct widths widths = {
		.rank = (int)strlen("RANK"), .id = (int)strlen("ID"), .score = (int)strlen("SCORE")
	};
	size_t count = json_array_size(results);

	widths.rank = at_least(snprintf(NULL, 0, "%zu", count), widths.rank);
	for (size_t i = 0; i < count; i++) {
		const json_t *result = json_array_get(results, i);
		const json_t *id = json_object_get(result, "id");
		char score[SCORE_SIZE];

		write_score(result, score);
		widths.score = at_least((int)strlen(score), widths.score);
		widths.id = at_least(width_of(json_string_value(id), json_string_length(id), most),
			widths.id);
	}
	if (widths.id > most)
		widths.id = most;
	widths.metadata = at_least(columns - widths.rank - widths.id - widths.score - 3 * GAP_WIDTH,
		METADATA_MIN);
	return widths;
}

static void send_table_print_result(struct buffer *out, size_t rank, const json_t *result,
	const struct widths *widths)
{
	const json_t *id = json_object_get(result, "id");
	const json_t *metadata = json_object_get(result, "metadata");
	struct buffer json = { 0 };
	char score[SCORE_SIZE];
	int width;

	write_score(result, score);
	text_addf(out, "%*zu" GAP, widths->rank, rank);
	width = add_shown(out, json_string_value(id), json_string_length(id), widths->id);
	add_blanks(out, widths->id - width);
	text_addf(out, GAP "%*s" GAP, widths->score, score);
	if (metadata)
		json_print(&json, metadata, false);
	add_shown(out, text_string(&json), json.size, widths->metadata);
	text_add(out, "\n");
	buffer_free(&json);
}

void send_table_print(struct buffer *out, const json_t *results, int columns)
{
	/* The output is always UTF-8. If the C library lacks this locale, all characters except
	 * ASCII become escapes. */
	locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t before = locale ? uselocale(locale) : (locale_t)0;
	struct widths widths = send_table_measure(results, columns);
	size_t count = json_array_size(results);

	text_addf(out, "%*s" GAP "%-*s" GAP "%*s" GAP "METADATA\n", widths.rank, "RANK", widths.id,
		"ID", widths.score, "SCORE");
	for (size_t i = 0; i < count; i++)
		send_table_print_result(out, i + 1, json_array_get(results, i), &widths);
	if (!count)
		text_add(out, "(nothing found)\n");
	if (locale) {
		uselocale(before);
		freelocale(locale);
	}
}
