/*
 * kind.h - the names of vector types, index methods and metrics, and the rule for names of indexes
 */
#ifndef HANDLERS_DOMAINS_VECTORS_KIND_H
#define HANDLERS_DOMAINS_VECTORS_KIND_H

#include "handlers/core/context.h"

enum vectors_type {
	VECTORS_VECTOR,
	VECTORS_HALFVEC,
	VECTORS_BIT,
	VECTORS_SPARSEVEC,
};

enum vectors_method {
	VECTORS_FLAT, /* no valid vector index, or an index of another method */
	VECTORS_IVFFLAT,
	VECTORS_HNSW,
};

enum vectors_metric {
	VECTORS_COSINE,
	VECTORS_EUCLIDEAN,
	VECTORS_DOTPRODUCT,
	VECTORS_HAMMING,
	VECTORS_JACCARD,
};

/* The names in the order of the enums, then NULL. */
extern const char *const vectors_type_names[];
extern const char *const vectors_method_names[];
extern const char *const vectors_metric_names[];

#define VECTORS_NAME_MAX 63 /* PostgreSQL's NAMEDATALEN - 1 */

/* True if a vector table can have this name. False: the call has failed with INVALID_INDEX_NAME. */
bool vectors_name_ok(struct context *ctx, struct call *call, const struct datum *name)
	__attribute__((warn_unused_result));
/* True if no command may create a table of this valid name: the reference, Stowage or PostgreSQL may
 * need it. */
bool vectors_name_reserved(const char *name);

#endif
