/*
 * plan.h - tells the decoder how to read data of a writer's type as a reader's type
 *
 * A plan is compiled once for each pair of types, so decoding looks up no names. It implements
 * "Schema Resolution" of the Apache Avro 1.11 specification:
 * - Fields match by name. A field that the writer lacks gets the reader's default. A field that the
 *   reader lacks is read and dropped.
 * - Numbers are promoted. string and bytes can be read as each other.
 * - A union with null can be read as its other branch. Decoding fails if the datum is null.
 *
 * A plan is immutable, so any thread may read it.
 */
#ifndef SCHEMAS_AVRO_PLAN_H
#define SCHEMAS_AVRO_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schemas/avro/type.h"
#include "schemas/base/arena.h"

enum plan_op {
	PLAN_NULL,
	PLAN_BOOLEAN,
	PLAN_INT,
	PLAN_LONG,
	PLAN_INT_AS_REAL,
	PLAN_LONG_AS_REAL,
	PLAN_FLOAT,
	PLAN_DOUBLE,
	PLAN_BYTES,
	PLAN_TEXT,
	PLAN_JSON,
	PLAN_RECORD,
	PLAN_ARRAY,
	PLAN_MAP,
};

struct plan;

/* A field of the writer's record. */
struct plan_step {
	const struct plan *plan;
	int target; /* index of the reader's field; -1: read and drop the value */
};

/* A field that only the reader's record has. */
struct plan_fill {
	size_t target;
	const struct datum *value; /* the default, valid as long as the reader's type */
};

struct plan {
	enum plan_op op;
	bool tagged;         /* the writer's type is a union with null */
	bool takes_null;     /* the reader's type accepts null */
	uint8_t null_branch; /* index of null in the writer's union */
	size_t least;        /* size of the shortest encoded datum, in bytes */
	const struct type *writer;
	const struct plan *item; /* of an array or a map */
	const struct plan_step *steps;
	size_t step_count;
	const struct plan_fill *fills;
	size_t fill_count;
	uint32_t field_count; /* of the reader's record */
};

/* Creates a plan in the arena. It points into both types, which must live as long as the plan. NULL
 * if `writer` can't be read as `reader`; `error` then has the field and the reason. */
const struct plan *plan_new(struct arena *arena, const struct type *writer,
	const struct type *reader, char *error, size_t error_size)
	__attribute__((warn_unused_result));

#endif
