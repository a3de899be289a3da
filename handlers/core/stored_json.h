/*
 * stored_json.h - JSON columns as the reference reads them
 *
 * Some writers store JSON inside of a JSON string (the reference's own scores do). So the reference
 * parses a jsonb string again if it holds JSON, and these functions do likewise. Use them in place of
 * reply_value(), reply_row() and reply_rows() for every row that has json columns.
 *
 * Results live in the arena, or point into the rows or the given text.
 */
#ifndef HANDLERS_CORE_STORED_JSON_H
#define HANDLERS_CORE_STORED_JSON_H

#include "handlers/core/context.h"

/* The value of a json column. A string that holds JSON becomes that JSON, any other string stays;
 * JSON's null becomes a null. */
struct datum stored_json(struct arena *arena, const struct datum *value);

/* Can the reference read this metadata back? It can't if a string holds no JSON, and one such row
 * makes the reference fail a whole page. Then the call fails with INVALID_METADATA at `path`. */
bool stored_json_ok(struct context *ctx, struct call *call, const struct datum *value,
	const char *path);

/* The first column of the first row as `type`, null if there is no row. */
struct datum stored_value(struct context *ctx, const struct rows *rows, const struct type *type);

/* One row as a record of `type`. */
struct datum stored_row(struct context *ctx, const struct rows *rows, int row,
	const struct type *type);

/* All rows as an array of `type`: records, or the rows' first columns. */
struct datum stored_rows(struct context *ctx, const struct rows *rows, const struct type *type);

/* All rows as a map of records of `type`. The first column is the key. */
struct datum stored_map(struct context *ctx, const struct rows *rows, const struct type *type);

#endif
