/*
 * type.h - an Avro schema compiled for decoding and encoding
 *
 * Source: Apache Avro 1.11 specification, "Schema Declaration". Unions are limited to what the
 * protocol uses: ["null", T] (either order). Recursive types are refused.
 */
#ifndef SCHEMAS_AVRO_TYPE_H
#define SCHEMAS_AVRO_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schemas/base/arena.h"
#include "schemas/base/datum.h"

enum type_kind {
	TYPE_NULL,
	TYPE_BOOLEAN,
	TYPE_INT,
	TYPE_LONG,
	TYPE_FLOAT,
	TYPE_DOUBLE,
	TYPE_BYTES,
	TYPE_STRING,
	TYPE_RECORD,
	TYPE_ARRAY,
	TYPE_MAP,
};

enum type_logical {
	LOGICAL_NONE,
	LOGICAL_TIMESTAMP_MILLIS, /* long: milliseconds since the epoch, UTC */
	LOGICAL_JSON,             /* string: one JSON text */
};

struct type;

struct type_field {
	const char *name;
	const struct type *type;
	bool has_default;
	struct datum default_value; /* lives as long as the type */
};

struct type {
	enum type_kind kind;
	enum type_logical logical;
	bool nullable;           /* the union of null and this */
	uint8_t null_branch;     /* of a nullable: index of null in the union, 0 or 1 */
	const char *name;        /* of a record: its full name, "mastra.memory.Thread" */
	const struct type *item; /* of an array or a map: type of its items */
	const struct type_field *fields;
	size_t field_count;
	uint8_t depth; /* levels of containers, this one included: 0 of a primitive */
};

/* How deep types may nest: what walks them recursively (decoding, encoding) is bounded by it. */
#define TYPE_DEPTH_MAXIMUM 32

/*
 * Compiles the JSON text of a complete schema. The type and all it points to live in the arena;
 * it is immutable, so any thread may read it. NULL if the schema is refused; then `error` says
 * why, naming the field.
 */
const struct type *type_compile(struct arena *arena, const char *json, size_t size, char *error,
	size_t error_size) __attribute__((warn_unused_result));

/* Index of the field of that name in a record, -1 if it has none. */
int type_field_index(const struct type *record, const char *name, size_t len);

/* "string", "record", ...: the name the Avro specification gives a kind. */
const char *type_kind_name(enum type_kind kind);

#endif
