/*
 * binding.h - from the request's data to the parameters of a statement
 *
 * A handler first checks its fields (binding_*), then appends them to ctx->params in the order of
 * $1, $2, ... (bind_*), then sends the statement:
 *
 *	if (!binding_text_ok(ctx, call, id, "id"))
 *		return;
 *	bind_text(ctx->params, id);
 *	context_send(ctx, SQL_SCORES_GET_SCORE_BY_ID, score_read, call);
 *
 * The checks find values that PostgreSQL can't store. An SQL error would roll back the whole batch;
 * a failed check fails this call alone. After a check returned false the call has its error, so
 * the handler just returns; if it has appended parameters by then, it calls params_reset() first.
 *
 * `name` in these functions is the field's name or path for the error message. Every datum may be
 * a null, and every pointer to one may be NULL, which means the same. Appending copies the value.
 * Executor's thread only, as context.h.
 */
#ifndef HANDLERS_CORE_BINDING_H
#define HANDLERS_CORE_BINDING_H

#include <stdbool.h>
#include <stdint.h>

#include "handlers/core/context.h"

/* Returns the datum at a dotted path of fields in the request ("options.from"), NULL if any part of
 * the path is null. *type (may be NULL) becomes the declared type of the last field reached. Fields
 * of the request itself are cheaper by datum_field() and the enums of fields.gen.h. */
const struct datum *binding_path(const struct call *call, const char *path,
	const struct type **type);

/* Has the text no NUL character? Else the call fails with TEXT_NOT_STORABLE. */
bool binding_text_ok(struct context *ctx, struct call *call, const struct datum *text,
	const char *name);

/* Can both a JavaScript Date and a PostgreSQL timestamp hold the time (ms since the epoch)? */
bool binding_time_fits(int64_t ms);

/* The same for a datum. If the time does not fit, the call fails with INVALID_TIME. */
bool binding_time_ok(struct context *ctx, struct call *call, const struct datum *time,
	const char *name);

/* Makes a JSON text storable as jsonb, which holds neither \u0000 nor lone surrogates. *out is the
 * text itself or a repaired copy in the arena. The call fails with TEXT_NOT_STORABLE if the
 * settings forbid repairs, or if keys become equal by the repair. */
bool binding_json(struct context *ctx, struct call *call, const struct datum *json,
	const char *name, struct datum *out);

/* Append the next parameter; a null appends NULL. The value must have passed its check. */
void bind_text(struct params *params, const struct datum *text);
void bind_jsonb(struct params *params, const struct datum *json);
void bind_time(struct params *params, const struct datum *time);

/* Append an element to the array parameter that params_array() returned. */
void bind_element_text(struct params *params, int array, const struct datum *text);
void bind_element_jsonb(struct params *params, int array, const struct datum *json);

/* Appends a whole array<string> as one text[]; a null appends NULL. */
void bind_texts(struct params *params, const struct datum *texts);

/* How values of a PostgreSQL type are checked and appended. */
struct binding_type;
/* The type of that name: text, text[], jsonb, timestamptz, timestamp, int4, int8, float8, bool, bytea. NULL:
 * there is none. */
const struct binding_type *binding_type(const char *name);
/* Checks the value; *out is what to append, a null for a null. False: the call has failed, also if `type` is
 * NULL. `out` may not be `value`. */
bool binding_check(struct context *ctx, struct call *call, const struct binding_type *type,
	const struct datum *value, const char *name, struct datum *out);
/* Appends a checked value as the next parameter. */
void binding_append(struct params *params, const struct binding_type *type,
	const struct datum *value);
/* Appends an empty array as the next parameter and returns its index; the other appends a checked value to
 * it. Not for text[]. */
int binding_array(struct params *params, const struct binding_type *type);
void binding_append_element(struct params *params, int array, const struct binding_type *type,
	const struct datum *value);

/* Checks the value and appends it as the PostgreSQL type of that name. False: the call has failed. */
bool bind_typed(struct context *ctx, struct call *call, const struct datum *value,
	const char *pg_type, const char *name);

#endif
