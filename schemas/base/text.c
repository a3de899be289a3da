#include "schemas/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_FIRST 256

/* Makes room for `more` bytes and the NUL behind them. */
static void text_reserve(struct text *text, size_t more)
{
	if (more > (size_t)-1 / 4 - text->len)
		abort();
	size_t need = text->len + more + 1;
	if (need <= text->size)
		return;
	size_t size = text->size ? text->size : TEXT_FIRST;
	while (size < need)
		size *= 2;
	char *data = realloc(text->data, size);
	if (!data)
		abort();
	text->data = data;
	text->size = size;
}

void text_add_bytes(struct text *text, const char *bytes, size_t len)
{
	text_reserve(text, len);
	if (len)
		memcpy(text->data + text->len, bytes, len);
	text->len += len;
	text->data[text->len] = '\0';
}

void text_add(struct text *text, const char *string)
{
	text_add_bytes(text, string, strlen(string));
}

void text_addv(struct text *text, const char *format, va_list args)
{
	va_list again;

	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	if (len < 0)
		abort();
	text_reserve(text, (size_t)len);
	vsnprintf(text->data + text->len, (size_t)len + 1, format, again);
	va_end(again);
	text->len += (size_t)len;
}

void text_addf(struct text *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_addv(text, format, args);
	va_end(args);
}

/* Adds the string between two `quote`, doubling every quote in it. */
static void text_add_quoted(struct text *text, const char *string, char quote, char escape)
{
	text_add_bytes(text, &quote, 1);
	for (; *string; string++) {
		if (*string == quote || *string == escape)
			text_add_bytes(text, string, 1);
		text_add_bytes(text, string, 1);
	}
	text_add_bytes(text, &quote, 1);
}

void text_add_ident(struct text *text, const char *name)
{
	text_add_quoted(text, name, '"', '"');
}

void text_add_literal(struct text *text, const char *value)
{
	/* E'' means the same whatever standard_conforming_strings says. */
	if (strchr(value, '\\')) {
		text_add(text, "E");
		text_add_quoted(text, value, '\'', '\\');
	} else {
		text_add_quoted(text, value, '\'', '\'');
	}
}

const char *text_string(const struct text *text)
{
	return text->data ? text->data : "";
}

char *text_take(struct text *text)
{
	text_reserve(text, 0);
	text->data[text->len] = '\0';
	char *data = text->data;
	*text = (struct text){ 0 };
	return data;
}

void text_clear(struct text *text)
{
	text->len = 0;
	if (text->data)
		text->data[0] = '\0';
}

void text_free(struct text *text)
{
	free(text->data);
	*text = (struct text){ 0 };
}
