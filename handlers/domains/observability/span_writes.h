/*
 * span_writes.h - reads the commands that write spans into one list of writes
 */
#ifndef HANDLERS_DOMAINS_OBSERVABILITY_SPAN_WRITES_H
#define HANDLERS_DOMAINS_OBSERVABILITY_SPAN_WRITES_H

#include "handlers/domains/observability/span.h"

struct span_writes {
	const struct type *created; /* CreateSpanRecord as the creates have it; NULL: no creates */
	struct span_write *list;    /* in the arena, in the order of the commands */
	size_t count;
	size_t room;
};

/* Appends the writes of reader->call. False: the call has failed; some of its writes may have been
 * appended. */
bool span_writes_read(struct span_reader *reader, struct span_writes *writes)
	__attribute__((warn_unused_result));

#endif
