/* workload_vectors.c - generates the vectors of the vector figures */
#include "workload_vectors.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "workload.h"

#define BINARY_HEADER 4 /* the dimensions and two zero bytes */
#define CLUSTERS 100
#define DIRECTIONS 48
/* The weights of the centre, the position in the cluster and the noise in a component. */
#define CENTRE 0.6F
#define PLACE 1.0F
#define NOISE 0.3F

/* Separate the seeds of centres, directions, positions and noise. */
enum { SEED_CENTRE = 1, SEED_DIRECTION, SEED_PLACE, SEED_NOISE, SEED_CLUSTER };

struct workload_vectors {
	unsigned dimensions;
	float *centres;    /* of each cluster, one after the other */
	float *directions; /* likewise */
};

/* Mean 0 and deviation 1, roughly normal: the sum of four uniform 16-bit numbers. */
static float bell(uint64_t x)
{
	uint64_t bits = workload_mix(x);
	int32_t sum = (int32_t)((bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) +
		(bits >> 48));

	return (float)(sum - 2 * 0xffff) / 37837.0F;
}

static uint64_t seed_of(unsigned kind, uint64_t number)
{
	return workload_mix(workload_mix(kind) ^ number);
}

static float *make_table(unsigned kind, unsigned count, unsigned dimensions)
{
	float *table = calloc((size_t)count * dimensions, sizeof *table);

	if (table == NULL)
		die("out of memory");
	for (unsigned i = 0; i < count; i++) {
		uint64_t seed = seed_of(kind, i);
		for (unsigned j = 0; j < dimensions; j++)
			table[(size_t)i * dimensions + j] = bell(seed + j);
	}
	return table;
}

struct workload_vectors *workload_vectors_open(unsigned dimensions)
{
	struct workload_vectors *vectors = calloc(1, sizeof *vectors);

	if (vectors == NULL || dimensions == 0)
		die("no vectors of %u dimensions", dimensions);
	vectors->dimensions = dimensions;
	vectors->centres = make_table(SEED_CENTRE, CLUSTERS, dimensions);
	vectors->directions = make_table(SEED_DIRECTION, DIRECTIONS, dimensions);
	return vectors;
}

void workload_vectors_close(struct workload_vectors *vectors)
{
	free(vectors->centres);
	free(vectors->directions);
	free(vectors);
}

static unsigned cluster_of(uint64_t i)
{
	return (unsigned)(seed_of(SEED_CLUSTER, i) % CLUSTERS);
}

void workload_vector(const struct workload_vectors *vectors, uint64_t i, float *out)
{
	unsigned dimensions = vectors->dimensions;
	uint64_t place = seed_of(SEED_PLACE, i), noise = seed_of(SEED_NOISE, i);

	const float *centre = vectors->centres + (size_t)cluster_of(i) * dimensions;

	for (unsigned j = 0; j < dimensions; j++)
		out[j] = CENTRE * centre[j];
	for (unsigned direction = 0; direction < DIRECTIONS; direction++) {
		const float *along = vectors->directions + (size_t)direction * dimensions;
		float far = bell(place + direction) * PLACE / 6.93F; /* sqrt(DIRECTIONS) */
		for (unsigned j = 0; j < dimensions; j++)
			out[j] += far * along[j];
	}
	for (unsigned j = 0; j < dimensions; j++)
		out[j] += NOISE * bell(noise + j);
}

size_t workload_vector_binary_size(const struct workload_vectors *vectors)
{
	return BINARY_HEADER + vectors->dimensions * sizeof(float);
}

void workload_vector_binary(const struct workload_vectors *vectors, const float *vector, char *out)
{
	uint16_t header[BINARY_HEADER / 2] = { htobe16((uint16_t)vectors->dimensions), 0 };

	memcpy(out, header, sizeof header);
	for (unsigned j = 0; j < vectors->dimensions; j++) {
		uint32_t bits;
		memcpy(&bits, &vector[j], sizeof bits);
		bits = htobe32(bits);
		memcpy(out + BINARY_HEADER + j * sizeof bits, &bits, sizeof bits);
	}
}

void workload_vector_id(char out[WORKLOAD_VECTOR_ID], uint64_t i)
{
	snprintf(out, WORKLOAD_VECTOR_ID, WORKLOAD_VECTOR_ID_PREFIX "%08llu",
		(unsigned long long)i);
}

size_t workload_vector_metadata(char out[WORKLOAD_VECTOR_METADATA], uint64_t i)
{
	int size = snprintf(out, WORKLOAD_VECTOR_METADATA,
		"{\"source\":\"handbook\",\"subject\":%u,\"page\":%llu,\"language\":\"en\","
		"\"text\":\"%016llx The five boxing wizards jump quickly past the sphinx of black quartz, who "
		"judges their vow in silence while the night is young, the tea is hot and nobody has anything "
		"better to do than to count letters.\"}",
		cluster_of(i), (unsigned long long)(i % 977), (unsigned long long)workload_mix(i));

	return (size_t)size;
}
