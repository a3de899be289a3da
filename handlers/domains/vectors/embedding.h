/*
 * embedding.h - converts embeddings between Avro's array<float> and the binary formats of pgvector
 *
 * Source: vector_recv, halfvec_recv and sparsevec_recv of pgvector 0.8; bit_recv of PostgreSQL.
 */
#ifndef HANDLERS_DOMAINS_VECTORS_EMBEDDING_H
#define HANDLERS_DOMAINS_VECTORS_EMBEDDING_H

#include "handlers/domains/vectors/index.h"

/* Reads at least one number, all finite, into *out as DATUM_FLOATS. False: the call has failed
 * with INVALID_VECTOR, whose message names the field `name`. */
bool vectors_embedding_read(struct context *ctx, struct call *call, const struct datum *values,
	const char *name, struct datum *out) __attribute__((warn_unused_result));

/* Does the embedding fit the index's column? False: the call has failed with DIMENSION_MISMATCH
 * or INVALID_VECTOR. */
bool vectors_embedding_fits(struct context *ctx, struct call *call,
	const struct vectors_index *index, const struct datum *floats)
	__attribute__((warn_unused_result));

/* Binds the embedding in the type's binary format, as the next parameter or as the next element
 * of an array. In a bit string, each number that is not zero becomes 1. */
void vectors_embedding_bind(struct params *params, enum vectors_type type,
	const struct datum *floats);
void vectors_embedding_bind_element(struct params *params, int array, enum vectors_type type,
	const struct datum *floats);

/* The embedding from the binary format of the type, in the arena. Null if the bytes are
 * malformed. */
struct datum vectors_embedding_decode(struct arena *arena, enum vectors_type type,
	const void *bytes, size_t len);

#endif
