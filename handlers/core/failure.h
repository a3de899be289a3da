/*
 * failure.h - why a command failed, as mastra.Error says it
 */
#ifndef HANDLERS_CORE_FAILURE_H
#define HANDLERS_CORE_FAILURE_H

#include <stdbool.h>

enum failure_category {
	FAILURE_INVALID,
	FAILURE_NOT_FOUND,
	FAILURE_CONFLICT,
	FAILURE_UNSUPPORTED,
	FAILURE_TIMEOUT,
	FAILURE_UNAVAILABLE,
	FAILURE_INTERNAL,
};

struct failure {
	enum failure_category category;
	bool retryable;
	const char *code;    /* upper snake case, static */
	const char *message; /* in the batch's arena, or static */
	const char *details; /* JSON text, or NULL for {} */
};

/* "INVALID", "NOT_FOUND", ... */
const char *failure_category_name(enum failure_category category);

#endif
