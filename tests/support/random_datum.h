/*
 * random_datum.h - creates random datums of a type
 *
 * The same seed creates the same datums, so a failure can be reproduced.
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

/* Returns a number below `bound`, which must not be 0. */
uint64_t random_below(struct random *random, uint64_t bound);

/* Creates a datum of the type in the arena. */
struct datum random_datum(struct random *random, struct arena *arena, const struct type *type);

/* Changes, removes or adds some of the `*size` bytes. There must be room for 16 more. */
void random_damage(struct random *random, uint8_t *bytes, size_t *size);

#endif
