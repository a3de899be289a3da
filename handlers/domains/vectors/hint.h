/*
 * note.h - what an executor remembers of a vector index it has searched or written to
 *
 * The catalog statement takes a tenth of the time of a search, and its answer has to be waited for
 * before the search can be composed. So its result is noted together with a stamp (vectors.query's
 * statement) that is asked for before it: a search may be composed by the note and sent behind the
 * same stamp, and holds if that has not changed. Rows are written by a note without a stamp: into a
 * table that has changed so that it matters, PostgreSQL does not take them.
 */
#ifndef HANDLERS_DOMAINS_VECTORS_HINT_H
#define HANDLERS_DOMAINS_VECTORS_HINT_H

#include "handlers/domains/vectors/index.h"

/* Copies, in the turn's arena, of what was noted. */
struct vectors_hint {
	struct vectors_index index; /* without what only writing needs: names of unique indexes */
	const char *stamp;
	bool crowded; /* the namespace is known to hold more rows than are compared one by one */
};

/* False: there is no note of the index, or it may not be relied on in this turn. */
bool vectors_hint_find(struct context *ctx, const struct datum *name, const struct datum *namespace,
	struct vectors_hint *hint);

/* The same for writing rows, which needs no stamp, but a table that is migrated. */
bool vectors_hint_find_table(struct context *ctx, const struct datum *name,
	struct vectors_index *index);

/* An index that is there, under the stamp that was asked for before; NULL: none was. */
void vectors_hint_put(struct context *ctx, const struct vectors_index *index, const char *stamp);
/* Nothing if there is no note of it. */
void vectors_hint_crowded(struct context *ctx, const struct datum *name,
	const struct datum *namespace);
/* The index alone did not find enough there: it is not to be relied on any more. */
void vectors_hint_scattered(struct context *ctx, const struct datum *name);
void vectors_hint_drop(struct context *ctx, const struct datum *name);

#endif
