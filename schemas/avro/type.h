/*
 * type.h - an Avro schema compiled for decoding and encoding
 *
 * Source: Apache Avro 1.11 specification, "Schema Declaration". The compiler rejects
 * what the protocol does not use: unions other than ["null", T] and [T, "null"], recursive types,
 * enum and fixed.
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
	struct datum default_value; /* valid as long as the type */
};

struct type {
	enum type_kind kind;
	enum type_logical logical;
	bool nullable;           /* the schema is a union of null and this type */
	uint8_t null_branch;     /* of a nullable type: index of null in the union, 0 or 1 */
	const char *name;        /* full name of a record: "mastra.memory.Thread" */
	const struct type *item; /* item type of an array or a map */
	const struct type_field *fields;
	size_t field_count;
	uint8_t depth; /* nested levels of containers, including this one; 0 of a primitive */
};

/* The maximum depth of a type. It limits the recursion of decoding and encoding. */
#define TYPE_DEPTH_MAXIMUM 32

/*
 * Compiles the JSON text of a complete schema. The type and all that it points to are in the arena.
 * A type is immutable, so any thread may read it. NULL if the schema is rejected; `error` then has
 * the field and the reason.
 */
const struct type *type_compile(struct arena *arena, const char *json, size_t size, char *error,
	size_t error_size) __attribute__((warn_unused_result));

/* Returns the index of a record's field, -1 if there is no such field. */
int type_field_index(const struct type *record, const char *name, size_t len);

/* Returns the name that the Avro specification gives a kind: "string", "record". */
const char *type_kind_name(enum type_kind kind);

#endif
