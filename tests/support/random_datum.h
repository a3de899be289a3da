/*
 * random_datum.h - datums made up for a type
 *
 * The same seed makes the same datums, so a failure can be had again.
 */
#ifndef TESTS_RANDOM_DATUM_H
#define TESTS_RANDOM_DATUM_H

#include <stddef.h>
#include <stdint.h>

#include "schemas/avro/type.h"
#include "schemas/base/arena.h"

struct random {
	uint64_t state;
};

struct random random_seed(uint64_t seed);

/* A number below `bound`, which is not 0. */
uint64_t random_below(struct random *random, uint64_t bound);

/* A datum of the type; it lives in the arena. */
struct datum random_datum(struct random *random, struct arena *arena, const struct type *type);

/* Changes, cuts or adds some of the `*size` bytes, which have room for 16 more. */
void random_damage(struct random *random, uint8_t *bytes, size_t *size);

#endif
