/*
 * vectors_embedding.h - embeddings between Avro's array<float> and the binary formats of pgvector
 *
 * Source: vector_recv, halfvec_recv and sparsevec_recv of pgvector 0.8, bit_recv of PostgreSQL.
 */
#ifndef HANDLERS_VECTORS_EMBEDDING_H
#define HANDLERS_VECTORS_EMBEDDING_H

#include "handlers/vectors_index.h"

/* Finite numbers, at least one; else the call fails with INVALID_VECTOR. `name` says which field. */
bool vectors_embedding_ok(struct turn *turn, struct call *call, const struct datum *values,
	const char *name) __attribute__((warn_unused_result));

/* Does it fit the index's column? Else the call fails with DIMENSION_MISMATCH or INVALID_VECTOR. */
bool vectors_embedding_fits(struct turn *turn, struct call *call,
	const struct vectors_index *index, const struct datum *values)
	__attribute__((warn_unused_result));

/* What the column's type reads; in the arena. Of bits, what is not zero is one. */
struct datum vectors_embedding_encode(struct arena *arena, enum vectors_type type,
	const struct datum *values);

/* The array of numbers from what the type sends; null if the bytes are none of the type's. */
struct datum vectors_embedding_decode(struct arena *arena, enum vectors_type type,
	const void *bytes, size_t len);

#endif
