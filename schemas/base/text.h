/*
 * text.h - adds strings, formatted text and quoted SQL names to a buffer
 *
 * For SQL and messages. The buffers have no maximum: start with a zeroed struct buffer.
 *
 * Not thread-safe. A failed allocation ends the process.
 */
#ifndef SCHEMAS_BASE_TEXT_H
#define SCHEMAS_BASE_TEXT_H

#include <stdarg.h>

#include "schemas/base/buffer.h"

void text_add(struct buffer *text, const char *string);
void text_addf(struct buffer *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_addv(struct buffer *text, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/* Adds a quoted SQL identifier ("name") or literal ('value'). */
void text_add_ident(struct buffer *text, const char *name);
void text_add_literal(struct buffer *text, const char *value);

/* The buffer's bytes as a NUL-terminated string, "" if empty. Valid until the next change. */
const char *text_string(const struct buffer *text);
/* The same as a string that the caller owns and frees. The buffer is empty afterwards. */
char *text_take(struct buffer *text);

#endif
