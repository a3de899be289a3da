/*
 * declared.h - follows a command's declaration: for the handlers of commands without C, and for handlers
 * that do something in between
 *
 * Executor's thread only, as context.h.
 */
#ifndef HANDLERS_CORE_DECLARED_H
#define HANDLERS_CORE_DECLARED_H

#include "handlers/core/binding.h"
#include "handlers/core/context.h"
#include "handlers/core/paging.h"

/* Does each field with declared words hold one of them? Else the call has failed. */
bool declared_words_ok(struct context *ctx, struct call *call) __attribute__((warn_unused_result));

/* The checked value of a parameter of that type. False: the call has failed. */
bool declared_value(struct context *ctx, struct call *call, const struct param_def *param,
	const struct binding_type *type, struct datum *out) __attribute__((warn_unused_result));

/* Binds the statement's parameters. `paging` may be NULL. False: the call has failed, and no
 * parameters are left. */
bool declared_bind(struct context *ctx, struct call *call, int statement,
	const struct paging *paging) __attribute__((warn_unused_result));

/* Fails the call if the row names an error in its column `@error`, or else in `error`. True: it names
 * one. A column `details` (jsonb) becomes the error's details. */
bool declared_failed(struct context *ctx, struct call *call, const struct rows *rows, int row);

/* Ends the call with the result of its last statement: `row` is its first row, `count` the number of
 * its rows. */
void declared_reply(struct context *ctx, struct call *call, const struct rows *rows, int row,
	int count);

#endif
