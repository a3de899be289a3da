/*
 * vectors_filter.h - the filter language of vectors as an SQL condition
 *
 * A filter is JSON: fields (with dots for what is nested) that equal a value or satisfy
 * operators ($gt, $in, $elemMatch, $regex, ...), joined by $and, $or, $nor and $not. It becomes
 * a condition on the column `metadata` (jsonb) of the row at hand. Values are parameters; a
 * field's key is a quoted literal, since an index on (metadata->>'key') serves no other form.
 *
 * The condition is TRUE or FALSE for every row, never an error because of what a row holds, and
 * NULL counts as FALSE: use it in WHERE as it is.
 *
 * Source: PGVectorFilter of @mastra/pg, by its behaviour; where that fails by its own defect,
 * the language's documentation.
 */
#ifndef HANDLERS_VECTORS_FILTER_H
#define HANDLERS_VECTORS_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "handlers/turn.h"

/* *where becomes the condition, in the turn's arena, in parentheses where it needs them; its
 * values are appended to turn->params, so its numbers go on from params_count(). `json` is a
 * text the decoder has checked; NULL, `null` and {} are TRUE. `path` names the filter in errors
 * ("filter").
 *
 * False: the call has failed with INVALID_FILTER, whose message and details ({"path": ...}) name
 * the path of the culprit; turn->params may then hold some of the values: reset them. */
bool vectors_filter(struct turn *turn, struct call *call, const char *json, size_t size,
	const char *path, const char **where) __attribute__((warn_unused_result));

#endif
