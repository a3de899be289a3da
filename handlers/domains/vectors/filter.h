/*
 * filter.h - the filter language of vectors as an SQL condition
 *
 * A filter is JSON: fields (with dots for what is nested) that equal a value or satisfy
 * operators ($gt, $in, $elemMatch, $regex, ...), joined by $and, $or, $nor and $not. It becomes
 * a condition on the column `metadata` (jsonb) of the row at hand. Values are parameters, and so
 * are fields, but for those of the metadata itself: an index on (metadata->>'key') serves nothing
 * but the literal key.
 *
 * The condition is for WHERE: it is NULL where a row has no answer, and never an error because of
 * what a row holds. An invalid regular expression is found by PostgreSQL alone (SQLSTATE 2201B),
 * and is then the command's own error, INVALID.
 *
 * Source: PGVectorFilter of @mastra/pg, by its behaviour; where that fails or forgets what it was
 * given, the language's documentation (reference-rag-metadata-filters.md).
 */
#ifndef HANDLERS_DOMAINS_VECTORS_FILTER_H
#define HANDLERS_DOMAINS_VECTORS_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "handlers/core/context.h"

/* *where becomes the condition, in the turn's arena, in parentheses; its values are appended to
 * turn->params, so its numbers go on from params_count(). `json` is a text the decoder has
 * checked. A filter that has no condition (NULL, `null`, {}, {"field":{}}) is "TRUE", without
 * parentheses, and no other one is: what must not act on every row can ask for that. `path` names
 * the filter in errors ("filter").
 *
 * False: the call has failed with INVALID_FILTER, whose message and details ({"path": ...}) name
 * the path of the culprit; turn->params may then hold some of the values: reset them. */
bool vectors_filter(struct context *ctx, struct call *call, const char *json, size_t size,
	const char *path, const char **where) __attribute__((warn_unused_result));

#endif
