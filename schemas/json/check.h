/*
 * check.h - is this one strict JSON text?
 *
 * Source: RFC 8259. Not recursive: the nesting is kept in a stack of bits. Threads: pure.
 */
#ifndef SCHEMAS_JSON_CHECK_H
#define SCHEMAS_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* A configured depth limit above this counts as this. */
#define JSON_DEPTH_MAXIMUM 16384

enum json_verdict {
	JSON_VALID,
	JSON_BAD,
	JSON_BAD_UTF8,
	JSON_TOO_DEEP,
};

struct json_check {
	enum json_verdict verdict;
	size_t at;   /* of one not valid: byte where that was found */
	bool repair; /* has an escaped NUL or a lone surrogate: valid JSON that jsonb refuses */
};

struct json_check json_check(const char *text, size_t size, size_t depth_limit);

#endif
