/*
 * hint.h - what an executor remembers of a vector index that it has searched or written to
 *
 * Reading the catalog takes a tenth of a search's time, and the search can't be composed before the
 * catalog has answered. So the result is stored as a hint, together with a stamp of the catalog that
 * was read before it (the statement `stamp` of query.sql). A search by the hint reads the stamp
 * again in the same pipeline and is valid if the stamp is the same. Writing rows by a hint needs no
 * stamp: PostgreSQL rejects the rows if the table has changed in a way that matters.
 */
#ifndef HANDLERS_DOMAINS_VECTORS_HINT_H
#define HANDLERS_DOMAINS_VECTORS_HINT_H

#include "handlers/domains/vectors/index.h"

/* Copies of what was stored, in the context's arena. */
struct vectors_hint {
	struct vectors_index
		index; /* without the names of unique indexes, which only a migration needs */
	const char *stamp;
	bool crowded; /* the namespace holds more rows than are compared one by one */
};

/* False: there is no hint for the index, or this context may not use hints. */
bool vectors_hint_find(struct context *ctx, const struct datum *name, const struct datum *namespace,
	struct vectors_hint *hint);

/* The same for writing rows, which needs a migrated table but no stamp. */
bool vectors_hint_find_table(struct context *ctx, const struct datum *name,
	struct vectors_index *index);

/* Stores a hint about an existing index. `stamp` is the stamp read before the catalog, or NULL. */
void vectors_hint_put(struct context *ctx, const struct vectors_index *index, const char *stamp);
/* Records that a namespace is crowded. Does nothing if the index has no hint. */
void vectors_hint_crowded(struct context *ctx, const struct datum *name,
	const struct datum *namespace);
/* The index alone did not find enough rows: the namespace no longer counts as crowded. */
void vectors_hint_scattered(struct context *ctx, const struct datum *name);
void vectors_hint_drop(struct context *ctx, const struct datum *name);

#endif
