/*
 * filter.h - the vectors' filter language as an SQL condition
 *
 * A filter is JSON. Fields (nested ones with dots) equal a value or satisfy operators ($gt, $in,
 * $elemMatch, $regex, ...), and $and, $or, $nor and $not join conditions. The filter becomes a
 * condition on the row's column `metadata` (jsonb). Values are parameters. Fields are parameters
 * too, except the metadata's own fields: an index on (metadata->>'key') serves only a literal key.
 *
 * The condition is for WHERE. It is NULL for a row without an answer, and no row's content makes it
 * an error. PostgreSQL alone can tell that a regular expression is invalid (SQLSTATE 2201B); the
 * engine answers that with INVALID.
 *
 * Source: the behaviour of @mastra/pg's PGVectorFilter; where that fails or ignores a part of its
 * input, the documentation of the language (reference-rag-metadata-filters.md).
 */
#ifndef HANDLERS_DOMAINS_VECTORS_FILTER_H
#define HANDLERS_DOMAINS_VECTORS_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "handlers/core/context.h"

/* Sets *where to the condition in parentheses, in the context's arena, and appends its values to
 * ctx->params: the condition's parameter numbers begin after params_count(). The decoder has
 * checked the syntax of `json`. A filter without a condition (NULL, `null`, {}, {"field":{}})
 * gives "TRUE" without parentheses, and no other filter does; callers that must not affect every
 * row compare with it. `path` names the filter in errors ("filter").
 *
 * False: the call has failed with INVALID_FILTER. Its message and details ({"path": ...}) name the
 * path of the mistake. ctx->params may then hold some of the values: reset them. */
bool vectors_filter(struct context *ctx, struct call *call, const char *json, size_t size,
	const char *path, const char **where) __attribute__((warn_unused_result));

#endif
