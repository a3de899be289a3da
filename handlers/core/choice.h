/*
 * choice.h - texts of which only some are known: TypeScript's literals and enums
 *
 * Lists of known texts are NULL-terminated arrays of constant strings.
 */
#ifndef HANDLERS_CORE_CHOICE_H
#define HANDLERS_CORE_CHOICE_H

#include "handlers/core/context.h"

/* Returns the text's index in the list, -1 if the list does not have it. The text is not null. */
int choice_find(const char *const *known, const struct datum *text);

/* Is the text null (or NULL), or one of the list? Else the call fails as INVALID with `code`; the
 * message names the field `name` and lists the known texts. */
bool choice_ok(struct context *ctx, struct call *call, const struct datum *text,
	const char *const *known, const char *code, const char *name)
	__attribute__((warn_unused_result));

#endif
