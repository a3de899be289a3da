/*
 * reply.h - shapes of a reply beside the rows of turn.h
 */
#ifndef HANDLERS_CORE_REPLY_H
#define HANDLERS_CORE_REPLY_H

#include "handlers/core/context.h"

/* The first column of the first row as `type`; null if there is no row. */
struct datum reply_value(struct context *ctx, const struct rows *rows, const struct type *type);

/* Type of the reply's `result`. */
const struct type *reply_result_type(const struct call *call);

/* The command's error when its row is missing, as its declaration says it: {field} in the
 * message stands for that field of the request. */
void reply_missing(struct context *ctx, struct call *call);

#endif
