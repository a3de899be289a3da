/*
 * span_group.h - merges the writes of each span and groups those that one statement can serve
 *
 * Updates before the first create of a span merge into one update. A create and all writes after it
 * merge into one upsert. After that, no two writes of a kind concern the same span.
 *
 * The writes of a kind are sorted by trace, so that lanes rarely wait for each other's rows in a circle.
 * Within a trace, creates are sorted by the start of the span, and writes that are equal then stay in the
 * order in which they were given: spans of one start are listed as they were stored.
 *
 * A statement either stores the nulls of a column or keeps the stored values, for all its rows. So
 * a group holds only writes that agree on each column. Clients either give no nulls, or give them
 * in the same columns every time, so nearly always one group serves all writes.
 */
#ifndef HANDLERS_DOMAINS_OBSERVABILITY_SPAN_GROUP_H
#define HANDLERS_DOMAINS_OBSERVABILITY_SPAN_GROUP_H

#include "handlers/domains/observability/span_writes.h"

/* The writes of one statement, sorted. */
struct span_group {
	struct span_group *next;
	struct span_write *first;
	struct span_write *last;
	size_t count;
	uint64_t given;   /* columns to which any write gives a value */
	uint64_t cleared; /* columns that any write sets to null */
	uint64_t kept;    /* columns that any write leaves alone */
};

/* Sets *updates and *creates, which the caller sets to NULL before, to lists of groups in the
 * arena. Changes the writes. */
void span_groups(struct context *ctx, const struct span_writes *writes, struct span_group **updates,
	struct span_group **creates);

#endif
