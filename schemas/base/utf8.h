/*
 * utf8.h - checks and repairs UTF-8
 *
 * Source: RFC 3629 (no overlong forms, no surrogates, nothing above U+10FFFF).
 * PostgreSQL accepts the same in a UTF8 database. Threads: pure functions.
 */
#ifndef SCHEMAS_BASE_UTF8_H
#define SCHEMAS_BASE_UTF8_H

#include <stddef.h>

enum unicode_verdict {
	UNICODE_VALID,
	UNICODE_NUL, /* valid, but has a NUL, which PostgreSQL's text can't hold */
	UNICODE_BAD,
};

enum unicode_verdict unicode_check(const char *text, size_t size);

/* Returns the size in bytes of the character at `text`, 0 if it is not valid. */
size_t unicode_step(const char *text, const char *end);

/* Replaces each byte that is not part of a valid character by a question mark, in place. For texts
 * that contain a client's input or that were cut. */
void unicode_clean(char *text);

#endif
