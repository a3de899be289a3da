/*
 * metadata_filter.h - filters by the members of a metadata object
 */
#ifndef HANDLERS_DOMAINS_MEMORY_METADATA_FILTER_H
#define HANDLERS_DOMAINS_MEMORY_METADATA_FILTER_H

#include <stdbool.h>

#include "handlers/core/context.h"
#include "schemas/json/json.h"

/* Are the object's keys names of letters, digits and _, at most 128 of them, that mean nothing
 * to JavaScript? Else the call fails with INVALID_METADATA_KEY. */
bool metadata_keys_ok(struct context *ctx, struct call *call, struct json metadata);

/* The filter of messages in normal form; absent if there is none or it is empty. Its values
 * must be scalars. False: the call has failed. */
bool metadata_filter_read(struct context *ctx, struct call *call, const struct datum *given,
	struct json *out) __attribute__((warn_unused_result));

/* Has the content (as the column holds it) a metadata object with exactly these members? */
bool metadata_filter_matches(struct arena *arena, const struct datum *content, struct json filter);

#endif
