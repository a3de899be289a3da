/*
 * plan.h - how data of a writer's type are read as a reader's type
 *
 * Compiled once for each pair of types; decoding walks it without looking anything up.
 * Source: Apache Avro 1.11 specification, "Schema Resolution": fields are matched by name, the
 * reader's defaults fill in what the writer lacks, what only the writer has is read and
 * dropped, numbers are promoted, string and bytes are read as each other. A union with null is
 * read as its other branch, as long as the datum is not null.
 *
 * Immutable once made, so any thread may read it.
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
	int target; /* index of the reader's field, -1: read and dropped */
};

/* A field that only the reader's record has. */
struct plan_fill {
	size_t target;
	const struct datum *value; /* its default, which lives as long as the reader's type */
};

struct plan {
	enum plan_op op;
	bool tagged;         /* the writer's type is a union with null */
	bool takes_null;     /* the reader's is */
	uint8_t null_branch; /* of the writer's union */
	size_t least;        /* bytes that the shortest datum takes */
	const struct type *writer;
	const struct plan *item; /* of an array or a map */
	const struct plan_step *steps;
	size_t step_count;
	const struct plan_fill *fills;
	size_t fill_count;
	uint32_t field_count; /* of the reader's record */
};

/* The plan lives in the arena and points into both types, which must live as long. NULL if the
 * one can't be read as the other; `error` then says why, naming the field. */
const struct plan *plan_new(struct arena *arena, const struct type *writer,
	const struct type *reader, char *error, size_t error_size)
	__attribute__((warn_unused_result));

#endif
