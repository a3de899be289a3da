/*
 * text.h - a text that grows, for composing SQL and messages
 *
 * A zeroed struct is an empty text; data is NUL-terminated once anything was added (text_string
 * is never NULL). The owner calls text_free, or text_take to keep the bytes.
 *
 * Not thread-safe: a text belongs to one thread at a time. Allocation failure ends the process.
 */
#ifndef SCHEMAS_BASE_TEXT_H
#define SCHEMAS_BASE_TEXT_H

#include <stdarg.h>
#include <stddef.h>

struct text {
	char *data;
	size_t len;
	size_t size;
};

void text_add(struct text *text, const char *string);
void text_add_bytes(struct text *text, const char *bytes, size_t len);
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_addv(struct text *text, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/* The string as SQL has it: "quoted" identifier, 'quoted' literal. */
void text_add_ident(struct text *text, const char *name);
void text_add_literal(struct text *text, const char *value);

/* What was added so far; "" if nothing. Valid until the next change. */
const char *text_string(const struct text *text);
/* The same as a string of the caller's own (free it), leaving the text empty. */
char *text_take(struct text *text);

/* Empty again; the memory is kept. */
void text_clear(struct text *text);
void text_free(struct text *text);

#endif
