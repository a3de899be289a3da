/*
 * reply.h - parts of a reply that context.h does not declare: single values, missing rows
 */
#ifndef HANDLERS_CORE_REPLY_H
#define HANDLERS_CORE_REPLY_H

#include "handlers/core/context.h"

/* Returns the first column of the first row as `type`, null if there is no row. Texts point into
 * the rows. */
struct datum reply_value(struct context *ctx, const struct rows *rows, const struct type *type);

/* The type of the reply's field `result`. */
const struct type *reply_result_type(const struct call *call);

/* Fails the call; {field} in the message is replaced by that field of the request. `details` is the
 * JSON text of an object in the arena; NULL: the details hold the fields of the message. */
void reply_failure(struct context *ctx, struct call *call, enum failure_category category,
	const char *code, const char *message, const char *details);

/* Fails the call as NOT_FOUND with the code and message of its `missing` line, {field} replaced by
 * the request's fields. Only for commands that have such a line. */
void reply_missing(struct context *ctx, struct call *call);

#endif
