/*
 * json_print.c - prints and parses JSON
 *
 * Recursive. jansson limits the depth of parsed JSON to 2,048 levels.
 */
#include "worker/client/json_print.h"

#include <stdio.h>
#include <stdlib.h>

#include "schemas/base/base64.h"

#define NOT_PRETTY (-1)

static void json_print_value(struct buffer *out, const json_t *value, int level);

static void print_real(struct buffer *out, double real)
{
	char digits[32];

	for (int precision = 15; precision <= 17; precision++) {
		snprintf(digits, sizeof(digits), "%.*g", precision, real);
		if (strtod(digits, NULL) == real)
			break;
	}
	text_add(out, digits);
}

static void print_escape(struct buffer *out, unsigned c)
{
	switch (c) {
	case '"':
		text_add(out, "\\\"");
		break;
	case '\\':
		text_add(out, "\\\\");
		break;
	case '\n':
		text_add(out, "\\n");
		break;
	case '\t':
		text_add(out, "\\t");
		break;
	case '\r':
		text_add(out, "\\r");
		break;
	default:
		text_addf(out, "\\u%04x", c);
	}
}

/* Size of the character at the start of the text if it needs an escape, else 0. Terminals also obey
 * the control characters of C1 (U+0080 to U+009F). */
static size_t control_size(const char *bytes, size_t len)
{
	unsigned char c = (unsigned char)bytes[0];

	if (c == 0xc2 && len > 1 && (unsigned char)bytes[1] < 0xa0)
		return 2;
	return c < 0x20 || c == 0x7f || c == '"' || c == '\\' ? 1 : 0;
}

static void print_string(struct buffer *out, const char *bytes, size_t len)
{
	size_t from = 0;

	text_add(out, "\"");
	for (size_t at = 0; at < len;) {
		size_t size = control_size(bytes + at, len - at);

		if (size > 0) {
			buffer_add(out, bytes + from, at - from);
			print_escape(out, (unsigned char)bytes[at + size - 1]);
			from = at + size;
		}
		at += size ? size : 1;
	}
	buffer_add(out, bytes + from, len - from);
	text_add(out, "\"");
}

static void print_break(struct buffer *out, int level)
{
	if (level == NOT_PRETTY)
		return;
	text_add(out, "\n");
	for (int i = 0; i < level; i++)
		text_add(out, "  ");
}

static int json_print_deeper(int level)
{
	return level == NOT_PRETTY ? NOT_PRETTY : level + 1;
}

static void print_array(struct buffer *out, const json_t *array, int level)
{
	size_t count = json_array_size(array);

	text_add(out, "[");
	for (size_t i = 0; i < count; i++) {
		text_add(out, i ? "," : "");
		print_break(out, json_print_deeper(level));
		json_print_value(out, json_array_get(array, i), json_print_deeper(level));
	}
	if (count)
		print_break(out, level);
	text_add(out, "]");
}

static void print_object(struct buffer *out, const json_t *object, int level)
{
	bool first = true;

	text_add(out, "{");
	for (void *at = json_object_iter((json_t *)object); at;
		at = json_object_iter_next((json_t *)object, at)) {
		text_add(out, first ? "" : ",");
		first = false;
		print_break(out, json_print_deeper(level));
		print_string(out, json_object_iter_key(at), json_object_iter_key_len(at));
		text_add(out, level == NOT_PRETTY ? ":" : ": ");
		json_print_value(out, json_object_iter_value(at), json_print_deeper(level));
	}
	if (!first)
		print_break(out, level);
	text_add(out, "}");
}

static void json_print_value(struct buffer *out, const json_t *value, int level)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		print_object(out, value, level);
		break;
	case JSON_ARRAY:
		print_array(out, value, level);
		break;
	case JSON_STRING:
		print_string(out, json_string_value(value), json_string_length(value));
		break;
	case JSON_INTEGER:
		text_addf(out, "%lld", (long long)json_integer_value(value));
		break;
	case JSON_REAL:
		print_real(out, json_real_value(value));
		break;
	case JSON_TRUE:
		text_add(out, "true");
		break;
	case JSON_FALSE:
		text_add(out, "false");
		break;
	case JSON_NULL:
		text_add(out, "null");
		break;
	}
}

void json_print(struct buffer *out, const json_t *value, bool pretty)
{
	json_print_value(out, value, pretty ? 0 : NOT_PRETTY);
}

json_t *base64_json(const void *bytes, size_t size)
{
	struct buffer text = { 0 };
	json_t *json;

	base64_write(&text, bytes, size);
	json = json_stringn(text_string(&text), text.size);
	buffer_free(&text);
	return json;
}

json_t *json_parse(const char *text, size_t size, json_error_t *error)
{
	const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
	json_t *json = json_loadb(text, size, flags, error);

	if (!json && json_error_code(error) == json_error_numeric_overflow)
		json = json_loadb(text, size, flags | JSON_DECODE_INT_AS_REAL, error);
	return json;
}
