/*
 * order.h - `orderBy` of threads and messages
 */
#ifndef HANDLERS_DOMAINS_MEMORY_ORDER_H
#define HANDLERS_DOMAINS_MEMORY_ORDER_H

#include <stdbool.h>

#include "handlers/core/context.h"

struct memory_order {
	const char *field; /* createdAt or updatedAt, a constant: safe in SQL text */
	bool descending;
};

/* Reads a mastra.memory.OrderBy, which may be null. The caller puts the defaults into *order. Only
 * threads may be ordered by updatedAt. False: the call has failed with INVALID_ORDER_BY. */
bool memory_order_read(struct context *ctx, struct call *call, const struct datum *order_by,
	bool of_threads, struct memory_order *order) __attribute__((warn_unused_result));

/* "ASC" or "DESC" */
const char *memory_order_direction(const struct memory_order *order);

#endif
