/*
 * stored_json.h - JSON columns as the reference's readers give them
 *
 * They parse a jsonb string that holds JSON text once more, since some writers (the reference's
 * own scores among them) store JSON inside of a JSON string.
 */
#ifndef HANDLERS_CORE_STORED_JSON_H
#define HANDLERS_CORE_STORED_JSON_H

#include "handlers/core/context.h"

/* The value of a json column: a string that holds JSON text is what that text says, and JSON's
 * null is a null. */
struct datum stored_json(struct arena *arena, const struct datum *value);

/* What JavaScript takes for no metadata at all: it is stored as NULL. */
bool stored_json_is_none(const struct datum *value);

/* Metadata that can be read back, or none: text that holds no JSON fails whatever of the reference
 * meets it, a page of a list as well. Else the call fails. */
bool stored_json_ok(struct context *ctx, struct call *call, const struct datum *value,
	const char *path);

/* The first column of the first row as `type`, read so if that is json; null if there is no row. */
struct datum stored_value(struct context *ctx, const struct rows *rows, const struct type *type);

/* One row as a record of `type`, its json fields read so. */
struct datum stored_row(struct context *ctx, const struct rows *rows, int row,
	const struct type *type);

/* All rows as records of `type`, their json fields read so. */
struct datum stored_rows(struct context *ctx, const struct rows *rows, const struct type *type);

#endif
