/*
 * fit.h - do items fit the JSON Schemas of their dataset?
 *
 * Executor's thread only, as context.h.
 */
#ifndef HANDLERS_DOMAINS_DATASETS_FIT_H
#define HANDLERS_DOMAINS_DATASETS_FIT_H

#include <stdbool.h>

#include "handlers/core/context.h"

/* Can the worker judge items by these schemas? Each may be null, which fits every item. Else the call
 * has failed. */
bool fit_read(struct context *ctx, struct call *call, const struct datum *input_schema,
	const struct datum *truth_schema) __attribute__((warn_unused_result));

/* The schema in the first row's column; it points into the rows. */
struct datum fit_column(const struct rows *rows, const char *name);

#endif
