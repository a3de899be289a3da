/*
 * metadata_filter.h - filters on the members of a metadata object
 *
 * Functions that return bool with a `call` return false after they failed the call.
 */
#ifndef HANDLERS_DOMAINS_MEMORY_METADATA_FILTER_H
#define HANDLERS_DOMAINS_MEMORY_METADATA_FILTER_H

#include <stdbool.h>

#include "handlers/core/context.h"
#include "schemas/json/json.h"

/* Is every key of the object a name of up to 128 letters, digits and underscores, not starting with a
 * digit, and none of __proto__, prototype, constructor? Else: INVALID_METADATA_KEY. */
bool metadata_keys_ok(struct context *ctx, struct call *call, struct json metadata);

/* Reads a filter on messages: an object whose values are scalars. *out is in normal form, and absent
 * if the filter is null or empty. */
bool metadata_filter_read(struct context *ctx, struct call *call, const struct datum *given,
	struct json *out) __attribute__((warn_unused_result));

/* Has the content's `metadata` every member of the filter, with the same value? `content` is what the
 * column holds. */
bool metadata_filter_matches(struct arena *arena, const struct datum *content, struct json filter);

#endif
