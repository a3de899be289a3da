/*
 * optimistic_insert.h - when a batch may insert rows without ON CONFLICT
 *
 * INSERT without ON CONFLICT spares PostgreSQL the speculative insertion: 5 % of a vector's cost,
 * 15 % of a message's. So the first attempt at a batch assumes that many rows at once are new. If
 * one already exists, the attempt fails and the batch runs again with ON CONFLICT, and the next 100
 * inserts do not assume it. Each further failure makes that four times as many, up to 6,400, until
 * enough batches have succeeded in between.
 *
 * Each executor has its own; not thread-safe.
 */
#ifndef HANDLERS_CORE_OPTIMISTIC_INSERT_H
#define HANDLERS_CORE_OPTIMISTIC_INSERT_H

#include <stdbool.h>
#include <stddef.h>

/* All zero at the start. */
struct optimistic_insert {
	unsigned skip;      /* inserts that still use ON CONFLICT */
	unsigned last_skip; /* the number skipped after the last failure; 0: none failed yet */
	unsigned succeeded; /* attempts since the last failure */
};

/* May the next insert of `count` rows assume that they are new? */
bool optimistic_insert_allowed(struct optimistic_insert *inserts, size_t count);
/* An attempt that assumed it failed on an existing row; or it committed. */
void optimistic_insert_failed(struct optimistic_insert *inserts);
void optimistic_insert_succeeded(struct optimistic_insert *inserts);

#endif
