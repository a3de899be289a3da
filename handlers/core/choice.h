/*
 * choice.h - strings of which only some are known (TypeScript's literals and enums)
 */
#ifndef HANDLERS_CORE_CHOICE_H
#define HANDLERS_CORE_CHOICE_H

#include "handlers/core/context.h"

/* Index of the text in the NULL-ended list, -1 if it is none of it. */
int choice_find(const char *const *known, const struct datum *text);

/* A known text, or null. Else the call fails with `code` and a message that lists the known;
 * `name` says which field it was. */
bool choice_ok(struct context *ctx, struct call *call, const struct datum *text,
	const char *const *known, const char *code, const char *name)
	__attribute__((warn_unused_result));

#endif
