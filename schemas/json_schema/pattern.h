/*
 * pattern.h - JavaScript's regular expressions on PCRE2, with limits
 *
 * A pattern is JavaScript syntax as far as PCRE2 gives it the same meaning; anything else is refused.
 * Classes such as \d and \w are ASCII, \s is all of JavaScript's white space, `$` matches at the very end.
 *
 * PCRE2 allocates from the arena. Threads: no shared state.
 */
#ifndef SCHEMAS_JSON_SCHEMA_PATTERN_H
#define SCHEMAS_JSON_SCHEMA_PATTERN_H

#include <stddef.h>

#include "schemas/base/arena.h"
#include "schemas/base/datum.h"

struct pattern;

/* Compiles the characters of a pattern. NULL: *why says what is wrong. */
const struct pattern *pattern_compile(struct arena *arena, const struct datum *source,
	const char **why);

enum pattern_verdict {
	PATTERN_MATCHES,
	PATTERN_DIFFERS,
	PATTERN_UNKNOWN, /* it needs more work than is allowed for a text of this length */
};

/* Does the pattern match anywhere in the text (UTF-8)? Works in `arena`. */
enum pattern_verdict pattern_match(const struct pattern *pattern, struct arena *arena,
	const char *text, size_t size);

#endif
