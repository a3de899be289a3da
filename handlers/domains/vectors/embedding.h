/*
 * embedding.h - embeddings between Avro's array<float> and the binary formats of pgvector
 *
 * Source: vector_recv, halfvec_recv and sparsevec_recv of pgvector 0.8, bit_recv of PostgreSQL.
 */
#ifndef HANDLERS_DOMAINS_VECTORS_EMBEDDING_H
#define HANDLERS_DOMAINS_VECTORS_EMBEDDING_H

#include "handlers/domains/vectors/index.h"

/* Finite numbers, at least one; *out is them as DATUM_FLOATS. Else the call fails with
 * INVALID_VECTOR; `name` says which field it was. */
bool vectors_embedding_read(struct context *ctx, struct call *call, const struct datum *values,
	const char *name, struct datum *out) __attribute__((warn_unused_result));

/* Do they fit the index's column? Else the call fails with DIMENSION_MISMATCH or INVALID_VECTOR. */
bool vectors_embedding_fits(struct context *ctx, struct call *call,
	const struct vectors_index *index, const struct datum *floats)
	__attribute__((warn_unused_result));

/* What the column's type reads, as the next parameter or as an array's next element. Of bits, what
 * is not zero is one. */
void vectors_embedding_bind(struct params *params, enum vectors_type type,
	const struct datum *floats);
void vectors_embedding_bind_element(struct params *params, int array, enum vectors_type type,
	const struct datum *floats);

/* The numbers from what the type sends; null if the bytes are none of the type's. */
struct datum vectors_embedding_decode(struct arena *arena, enum vectors_type type,
	const void *bytes, size_t len);

#endif
