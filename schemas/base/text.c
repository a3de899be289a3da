/*
 * text.c - adds strings, formatted text and quoted SQL names to a buffer
 */
#include "schemas/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_add(struct buffer *text, const char *string)
{
	buffer_add(text, string, strlen(string));
}

void text_addv(struct buffer *text, const char *format, va_list args)
{
	va_list again;

	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	if (len < 0)
		abort();
	char *room = (char *)buffer_extend(text, (size_t)len);
	if (room) /* a buffer has one more byte than its capacity, for this NUL */
		vsnprintf(room, (size_t)len + 1, format, again);
	va_end(again);
}

void text_addf(struct buffer *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_addv(text, format, args);
	va_end(args);
}

/* Adds the string between two `quote`. Doubles each `quote` and `escape` in the string. */
static void text_add_quoted(struct buffer *text, const char *string, char quote, char escape)
{
	buffer_add_byte(text, (uint8_t)quote);
	for (; *string; string++) {
		if (*string == quote || *string == escape)
			buffer_add_byte(text, (uint8_t)*string);
		buffer_add_byte(text, (uint8_t)*string);
	}
	buffer_add_byte(text, (uint8_t)quote);
}

void text_add_ident(struct buffer *text, const char *name)
{
	text_add_quoted(text, name, '"', '"');
}

void text_add_literal(struct buffer *text, const char *value)
{
	/* standard_conforming_strings does not change the meaning of E''. */
	if (strchr(value, '\\')) {
		text_add(text, "E");
		text_add_quoted(text, value, '\'', '\\');
	} else {
		text_add_quoted(text, value, '\'', '\'');
	}
}

const char *text_string(const struct buffer *text)
{
	if (!text->data)
		return "";
	text->data[text->size] = '\0';
	return (const char *)text->data;
}

char *text_take(struct buffer *text)
{
	buffer_extend(text, 0); /* allocates, even for an empty string */
	text->data[text->size] = '\0';
	char *string = (char *)text->data;
	*text = buffer_empty(text->maximum);
	return string;
}
