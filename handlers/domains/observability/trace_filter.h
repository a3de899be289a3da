/*
 * trace_filter.h - the filter of listTraces and listTracesLight
 */
#ifndef HANDLERS_DOMAINS_OBSERVABILITY_TRACE_FILTER_H
#define HANDLERS_DOMAINS_OBSERVABILITY_TRACE_FILTER_H

#include "handlers/core/context.h"

/* Checks the filter, a record of `type`. Sets *none to true if a null is among its conditions, so
 * that no trace can match. False: the call has failed. */
bool trace_filter_ok(struct context *ctx, struct call *call, const struct datum *filters,
	const struct type *type, bool *none) __attribute__((warn_unused_result));

/* Binds the conditions of the call's filter as $1 to $23 of the statements of listTraces.sql. False:
 * the call has failed, and no parameter is bound. */
bool trace_filter_bind(struct context *ctx, struct call *call) __attribute__((warn_unused_result));

#endif
