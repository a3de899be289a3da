/*
 * failure.h - why a command failed: the fields of the reply mastra.Error
 *
 * Handlers do not fill a struct failure themselves: call_fail() of context.h does.
 */
#ifndef HANDLERS_CORE_FAILURE_H
#define HANDLERS_CORE_FAILURE_H

#include <stdbool.h>

/* What a client can do about the failure. */
enum failure_category {
	FAILURE_INVALID,     /* the request is wrong; sending it again fails again */
	FAILURE_NOT_FOUND,   /* a row that the command needs does not exist */
	FAILURE_CONFLICT,    /* a row that the command would create exists */
	FAILURE_UNSUPPORTED, /* stowage does not serve this command or option */
	FAILURE_TIMEOUT,     /* retryable */
	FAILURE_UNAVAILABLE, /* retryable */
	FAILURE_INTERNAL,    /* a defect of stowage or of the installation */
};

struct failure {
	enum failure_category category;
	bool retryable;
	const char *code;    /* upper snake case, static: "THREAD_NOT_FOUND" */
	const char *message; /* for people; in the batch's arena, or static */
	const char *details; /* JSON text of an object, or NULL for {} */
};

/* "INVALID", "NOT_FOUND", ...: the category as replies and metrics spell it. Static. */
const char *failure_category_name(enum failure_category category);

#endif
