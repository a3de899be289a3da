/*
 * check.h - checks that a text is one strict JSON text
 *
 * Not recursive: it keeps the nesting in a stack of bits. Source: RFC 8259. Threads: pure function.
 */
#ifndef SCHEMAS_JSON_CHECK_H
#define SCHEMAS_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* The largest depth limit. json_check() reduces larger ones to it. */
#define JSON_DEPTH_MAXIMUM 16384

enum json_verdict {
	JSON_VALID,
	JSON_BAD,
	JSON_BAD_UTF8,
	JSON_TOO_DEEP,
};

struct json_check {
	enum json_verdict verdict;
	size_t at;   /* if not valid: index of the byte that is wrong */
	bool repair; /* has an escaped NUL or a lone surrogate: valid JSON, but jsonb rejects it */
	/* How many bytes it has at most when jsonb writes it: 1e9 becomes ten digits, and a blank
	 * follows each colon and comma. Not less than the text's size. */
	size_t spelled;
};

/* `depth_limit` is the number of objects and arrays that may be nested. */
struct json_check json_check(const char *text, size_t size, size_t depth_limit);

#endif
