/*
 * normal.c - the normal form of a JSON text, a string's characters, and the repair for jsonb
 *
 * Source: ECMA-262, JSON.stringify (QuoteJSONString) and Number::toString; ECMA-404.
 */
#include "schemas/json/json.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/json/scan.h"

#define EXACT_DIGITS 15 /* a double keeps this many decimal digits unchanged */

/* ---------------------------------------------------------------- numbers */

/* Writes the shortest digits that read back as the same double, and returns their count. The value
 * is 0.digits * 10^*point. */
static int shortest_digits(double value, char digits[32], int *point)
{
	char text[40];

	/* A double below the normal range has fewer digits, down to one. */
	for (int precision = value < DBL_MIN ? 1 : EXACT_DIGITS; precision <= 17; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision - 1, value);
		if (precision == 17 || strtod(text, NULL) == value)
			break;
	}
	char *exponent = strchr(text, 'e');
	int count = 0;
	for (char *at = text; at < exponent; at++)
		if (*at >= '0' && *at <= '9')
			digits[count++] = *at;
	while (count > 1 && digits[count - 1] == '0')
		count--;
	*point = atoi(exponent + 1) + 1;
	return count;
}

static void add_zeros(struct json_text *out, int count)
{
	while (count-- > 0)
		json_text_add(out, "0", 1);
}

static void add_exponent(struct json_text *out, const char *digits, int count, int point)
{
	char exponent[16];

	json_text_add(out, digits, 1);
	if (count > 1) {
		json_text_add(out, ".", 1);
		json_text_add(out, digits + 1, (size_t)count - 1);
	}
	snprintf(exponent, sizeof(exponent), "e%+d", point - 1);
	json_text_puts(out, exponent);
}

static void add_positive(struct json_text *out, double value)
{
	char digits[32];
	int point, count = shortest_digits(value, digits, &point);

	if (point > 21 || point <= -6) {
		add_exponent(out, digits, count, point);
	} else if (point <= 0) {
		json_text_puts(out, "0.");
		add_zeros(out, -point);
		json_text_add(out, digits, (size_t)count);
	} else if (count <= point) {
		json_text_add(out, digits, (size_t)count);
		add_zeros(out, point - count);
	} else {
		json_text_add(out, digits, (size_t)point);
		json_text_add(out, ".", 1);
		json_text_add(out, digits + point, (size_t)(count - point));
	}
}

static void json_normal_add_number(struct json_text *out, const char *token, size_t len)
{
	/* strtod needs a NUL. The copy is in the arena because a token may have millions of digits. */
	double value = strtod(arena_copy(out->arena, token, len), NULL);

	if (isinf(value)) {
		json_text_puts(out, "null");
	} else if (value == 0) {
		json_text_puts(out, "0");
	} else {
		if (value < 0)
			json_text_add(out, "-", 1);
		add_positive(out, fabs(value));
	}
}

/* Is the number certainly in the form that JavaScript prints? False if in doubt. */
static bool number_is_normal(const char *at, size_t len)
{
	const char *end = at + len;
	size_t digits = 0, leading = 0;

	if (at < end && *at == '-')
		at++;
	if (at < end && *at == '0' && at + 1 == end)
		return len == 1;
	bool small = at < end && *at == '0';
	for (; at < end && *at >= '0' && *at <= '9'; at++)
		digits++;
	if (at < end && *at == '.') {
		for (at++; small && at < end && *at == '0'; at++)
			leading++;
		for (; at < end && *at >= '0' && *at <= '9'; at++)
			digits++;
		if (end[-1] == '0')
			return false;
	}
	return at == end && digits <= EXACT_DIGITS && leading < 6;
}

/* ---------------------------------------------------------------- escapes */

#define REPLACEMENT 0xFFFD

/* A checked text has no bad escape. If there is one nevertheless, it becomes U+FFFD. */
static int take_escape(const char **at, const char *end)
{
	int point = json_scan_escape(at, end);
	return point == JSON_SCAN_BAD ? REPLACEMENT : point;
}

static void add_utf8(struct json_text *out, int point)
{
	char bytes[4];
	size_t len;

	if (point < 0x80) {
		bytes[0] = (char)point;
		len = 1;
	} else if (point < 0x800) {
		bytes[0] = (char)(0xC0 | point >> 6);
		bytes[1] = (char)(0x80 | (point & 0x3F));
		len = 2;
	} else if (point < 0x10000) {
		bytes[0] = (char)(0xE0 | point >> 12);
		bytes[1] = (char)(0x80 | (point >> 6 & 0x3F));
		bytes[2] = (char)(0x80 | (point & 0x3F));
		len = 3;
	} else {
		bytes[0] = (char)(0xF0 | point >> 18);
		bytes[1] = (char)(0x80 | (point >> 12 & 0x3F));
		bytes[2] = (char)(0x80 | (point >> 6 & 0x3F));
		bytes[3] = (char)(0x80 | (point & 0x3F));
		len = 4;
	}
	json_text_add(out, bytes, len);
}

/* Adds a code point of a string as JSON.stringify writes it. */
static void add_point(struct json_text *out, int point)
{
	char escape[8];

	if (point >= 0x80 && !json_scan_is_surrogate(point)) {
		add_utf8(out, point);
	} else if (point >= 0x80) {
		snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)point & 0xffff);
		json_text_puts(out, escape);
	} else {
		char c = (char)point;
		json_text_characters(out, &c, 1);
	}
}

/* Does JSON.stringify write the escape at `at`? */
static bool escape_is_normal(const char *at, const char *end)
{
	int unit = json_scan_unit(at, end);

	if (unit < 0)
		return end - at > 1 && at[1] != '/';
	for (int i = 2; i < 6; i++)
		if (at[i] >= 'A' && at[i] <= 'F')
			return false;
	if (unit < 0x20)
		return !strchr("\b\f\n\r\t", unit) || unit == 0;
	/* A low surrogate may belong to a high one before it. If in doubt, the string is written again. */
	return json_scan_is_high(unit) && !json_scan_is_low(json_scan_unit(at + 6, end));
}

/* ---------------------------------------------------------------- normal form */

/* Returns the byte after the string at `at`, or NULL if the string is not in normal form. */
static const char *normal_string(const char *at, const char *end)
{
	for (at = json_scan_run(at + 1, end); at < end && *at == '\\';
		at = json_scan_run(at, end)) {
		if (!escape_is_normal(at, end))
			return NULL;
		at += at[1] == 'u' ? 6 : 2;
	}
	return at < end ? at + 1 : end;
}

static const char *number_end(const char *at, const char *end)
{
	while (at < end && ((*at >= '0' && *at <= '9') || strchr("+-.eE", *at)) && *at)
		at++;
	return at;
}

static bool is_normal(const char *at, const char *end)
{
	while (at < end) {
		if (*at == '"') {
			at = normal_string(at, end);
			if (!at)
				return false;
		} else if ((*at >= '0' && *at <= '9') || *at == '-') {
			const char *next = number_end(at, end);
			if (!number_is_normal(at, (size_t)(next - at)))
				return false;
			at = next;
		} else if (json_scan_is_blank(*at)) {
			return false;
		} else {
			at++;
		}
	}
	return true;
}

static const char *add_normal_string(struct json_text *out, const char *at, const char *end)
{
	json_text_add(out, "\"", 1);
	at++;
	while (at < end && *at != '"') {
		const char *run = json_scan_run(at, end);
		json_text_add(out, at, (size_t)(run - at));
		at = run;
		if (at < end && *at == '\\')
			add_point(out, take_escape(&at, end));
	}
	json_text_add(out, "\"", 1);
	return at < end ? at + 1 : end;
}

struct datum json_normal(struct arena *arena, const struct datum *text)
{
	const char *at = text->text, *end = at + text->size;

	if (is_normal(at, end))
		return *text;
	struct json_text out = json_text_new(arena);
	while (at < end) {
		if (*at == '"') {
			at = add_normal_string(&out, at, end);
		} else if ((*at >= '0' && *at <= '9') || *at == '-') {
			const char *next = number_end(at, end);
			json_normal_add_number(&out, at, (size_t)(next - at));
			at = next;
		} else {
			if (!json_scan_is_blank(*at))
				json_text_add(&out, at, 1);
			at++;
		}
	}
	return json_datum(json_text_end(&out));
}

struct datum json_unquote(struct arena *arena, struct json value)
{
	/* Without quotes and escapes, no text is longer. */
	struct json_text out = json_text_sized(arena, value.len);
	const char *end = value.text + value.len;
	const char *at = memchr(value.text, '"', value.len);

	for (at = at ? at + 1 : end; at < end && *at != '"';) {
		const char *run = json_scan_run(at, end);
		json_text_add(&out, at, (size_t)(run - at));
		at = run;
		if (at < end && *at == '\\') {
			int point = take_escape(&at, end);
			add_utf8(&out, json_scan_is_surrogate(point) ? REPLACEMENT : point);
		}
	}
	return json_datum(json_text_end(&out));
}

bool json_spells(struct json value, const char *text)
{
	const char *at = value.text + 1, *end = value.text + value.len;

	while (at < end && *at != '"') {
		int point = *at == '\\' ? take_escape(&at, end) : (unsigned char)*at++;
		if (!*text || point != *text++)
			return false;
	}
	return !*text;
}

/* ---------------------------------------------------------------- repair */

/* Copies the string at `at`, repaired, and returns the byte after it. Sets *changed if the repair
 * changed the string. */
static const char *add_repaired_string(struct json_text *out, const char *at, const char *end,
	bool *changed)
{
	json_text_add(out, "\"", 1);
	at++;
	while (at < end && *at != '"') {
		const char *run = json_scan_run(at, end);
		json_text_add(out, at, (size_t)(run - at));
		at = run;
		if (at >= end || *at != '\\')
			continue;
		int point = take_escape(&at, end);
		if (point == 0 || json_scan_is_surrogate(point))
			*changed = true;
		if (json_scan_is_surrogate(point))
			point = REPLACEMENT;
		if (point)
			add_point(out, point);
	}
	json_text_add(out, "\"", 1);
	return at < end ? at + 1 : end;
}

static bool is_key(const char *at, const char *end)
{
	at = json_scan_blanks(at, end);
	return at < end && *at == ':';
}

struct open_key {
	size_t object; /* number of the object that has the key */
	struct json key;
};

static int compare_keys(const void *a, const void *b)
{
	const struct open_key *one = a, *two = b;

	if (one->object != two->object)
		return one->object < two->object ? -1 : 1;
	if (one->key.len != two->key.len)
		return one->key.len < two->key.len ? -1 : 1;
	return memcmp(one->key.text, two->key.text, one->key.len);
}

static size_t count_byte(struct json text, char byte)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += text.text[i] == byte;
	return count;
}

/* Stores each key with the number of its object in `keys`, and returns the number of keys. */
static size_t collect_keys(struct arena *arena, struct json text, struct open_key *keys)
{
	size_t *open = arena_calloc(arena, count_byte(text, '{') + count_byte(text, '[') + 1,
		sizeof(*open));
	size_t depth = 0, objects = 0, count = 0;
	const char *at = text.text, *end = at + text.len;

	while (at < end) {
		const char *begin = at++;
		if (*begin == '{' || *begin == '[') {
			open[++depth] = ++objects;
		} else if (*begin == '}' || *begin == ']') {
			depth -= depth > 0;
		} else if (*begin == '"') {
			at = json_scan_string(begin, end);
			if (is_key(at, end))
				keys[count++] = (struct open_key){ open[depth],
					{ begin, (size_t)(at - begin) } };
		}
	}
	return count;
}

static bool keys_collide(struct arena *arena, struct json text)
{
	struct open_key *keys = arena_calloc(arena, count_byte(text, ':') + 1, sizeof(*keys));
	size_t count = collect_keys(arena, text, keys);

	qsort(keys, count, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < count; i++)
		if (compare_keys(&keys[i - 1], &keys[i]) == 0)
			return true;
	return false;
}

bool json_repair(struct arena *arena, const struct datum *text, struct datum *out)
{
	struct json_text repaired = json_text_new(arena);
	const char *at = text->text, *end = at + text->size;
	bool key_changed = false;

	while (at < end) {
		if (*at != '"') {
			json_text_add(&repaired, at, 1);
			at++;
			continue;
		}
		bool changed = false;
		at = add_repaired_string(&repaired, at, end, &changed);
		key_changed |= changed && is_key(at, end);
	}
	struct json result = json_text_end(&repaired);
	*out = json_datum(result);
	return !key_changed || !keys_collide(arena, result);
}
