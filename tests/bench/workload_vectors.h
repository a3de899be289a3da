/*
 * workload_vectors.h - the vectors that all sides of the vector figures write and ask for
 *
 * Vector i is the same on every call and in every program. Vectors stand in a hundred clusters,
 * as texts on a hundred subjects would: a centre, a place within the cluster in a few directions
 * that all clusters share (so that near and far mean something), and a little of noise. Those
 * beyond the ones that are written are asked for: nearest to none exactly, near to many.
 */
#ifndef WORKLOAD_VECTORS_H
#define WORKLOAD_VECTORS_H

#include <stddef.h>
#include <stdint.h>

#define WORKLOAD_VECTORS_A_COMMAND 100
#define WORKLOAD_VECTORS_TOP_K 10
#define WORKLOAD_VECTOR_ID_PREFIX "vector-"
#define WORKLOAD_VECTOR_ID_SIZE 15   /* of every id: the prefix and eight digits */
#define WORKLOAD_VECTOR_ID 24        /* room for one */
#define WORKLOAD_VECTOR_METADATA 512 /* ... for metadata */

struct workload_vectors;

struct workload_vectors *workload_vectors_open(unsigned dimensions);
void workload_vectors_close(struct workload_vectors *vectors);

/* Writes as many floats as there are dimensions. Any number of threads at once. */
void workload_vector(const struct workload_vectors *vectors, uint64_t i, float *out);

/* A vector in PostgreSQL's binary form. */
size_t workload_vector_binary_size(const struct workload_vectors *vectors);
void workload_vector_binary(const struct workload_vectors *vectors, const float *vector, char *out);

void workload_vector_id(char out[WORKLOAD_VECTOR_ID], uint64_t i);
/* JSON of some 270 bytes, with the beginning of a text; returns its size. */
size_t workload_vector_metadata(char out[WORKLOAD_VECTOR_METADATA], uint64_t i);

#endif
