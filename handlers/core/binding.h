/*
 * binding.h - from a request's data to a statement's parameters
 *
 * What PostgreSQL can't hold is found here and fails the call without an SQL error, so that a
 * bad command takes no neighbour of its batch with it.
 */
#ifndef HANDLERS_CORE_BINDING_H
#define HANDLERS_CORE_BINDING_H

#include <stdbool.h>
#include <stdint.h>

#include "handlers/core/context.h"

/* The datum at a dotted path of fields in the request; NULL if a part of the path is null.
 * *type (may be NULL) is set to the declared type at that path. */
const struct datum *binding_path(const struct call *call, const char *path,
	const struct type **type);

/* A text without NUL, or null. Else the call fails and false is returned; `name` says which
 * field it was. */
bool binding_text_ok(struct context *ctx, struct call *call, const struct datum *text,
	const char *name);

/* Can a Date and a timestamp both hold it? */
bool binding_time_fits(int64_t ms);

/* Such a time, or null. */
bool binding_time_ok(struct context *ctx, struct call *call, const struct datum *time,
	const char *name);

/* A json text as jsonb takes it: *out is the given one or its repaired copy in the arena. False
 * (the call has failed) if it needs a repair and settings forbid it. Null stays null. */
bool binding_json(struct context *ctx, struct call *call, const struct datum *json,
	const char *name, struct datum *out);

/* Scalars: append the next parameter, NULL for a null datum (or a NULL pointer). */
void bind_text(struct params *params, const struct datum *text);
void bind_jsonb(struct params *params, const struct datum *json);
void bind_time(struct params *params, const struct datum *time);

/* Elements of an array parameter. */
void bind_element_text(struct params *params, int array, const struct datum *text);
void bind_element_jsonb(struct params *params, int array, const struct datum *json);

/* The whole array<string> as one text[]. */
void bind_texts(struct params *params, const struct datum *texts);

/* Appends the value as the PostgreSQL type named; false if it can't be (the call has failed). */
bool bind_typed(struct context *ctx, struct call *call, const struct datum *value,
	const char *pg_type, const char *name);

#endif
