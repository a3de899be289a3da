/*
 * workload_vectors.h - the vectors that all sides of the vector figures write and search
 *
 * Vector i is the same on every call and in every program. Vectors lie in a hundred clusters, like texts
 * on a hundred subjects. A vector is the sum of its cluster's centre, a position along a few directions
 * that all clusters share (so that near and far are meaningful), and a little noise. Queries use the
 * vectors after the stored ones: each is near many stored vectors and equal to none.
 */
#ifndef WORKLOAD_VECTORS_H
#define WORKLOAD_VECTORS_H

#include <stddef.h>
#include <stdint.h>

#define WORKLOAD_VECTORS_A_COMMAND 100
#define WORKLOAD_VECTORS_TOP_K 10
#define WORKLOAD_VECTOR_ID_PREFIX "vector-"
#define WORKLOAD_VECTOR_ID_SIZE 15   /* length of every id: the prefix and eight digits */
#define WORKLOAD_VECTOR_ID 24        /* size of a buffer for an id */
#define WORKLOAD_VECTOR_METADATA 512 /* size of a buffer for metadata */

struct workload_vectors;

struct workload_vectors *workload_vectors_open(unsigned dimensions);
void workload_vectors_close(struct workload_vectors *vectors);

/* Writes one float per dimension. Thread-safe. */
void workload_vector(const struct workload_vectors *vectors, uint64_t i, float *out);

/* A vector in PostgreSQL's binary format. */
size_t workload_vector_binary_size(const struct workload_vectors *vectors);
void workload_vector_binary(const struct workload_vectors *vectors, const float *vector, char *out);

void workload_vector_id(char out[WORKLOAD_VECTOR_ID], uint64_t i);
/* Writes JSON of some 270 bytes, with the beginning of a text; returns its size. */
size_t workload_vector_metadata(char out[WORKLOAD_VECTOR_METADATA], uint64_t i);

#endif
