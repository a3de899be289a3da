/*
 * type_default.h - a field's default value as a datum
 *
 * Source: Apache Avro 1.11 specification, "Complex Types", default values.
 */
#ifndef SCHEMAS_AVRO_TYPE_DEFAULT_H
#define SCHEMAS_AVRO_TYPE_DEFAULT_H

#include <jansson.h>
#include <stdbool.h>

#include "schemas/avro/type.h"
#include "schemas/base/arena.h"

/* False if the JSON value is no value of the type (of a union: of its first branch). What the
 * datum points to lives in the arena. Recursion is bounded by the type's depth. */
bool type_default(struct arena *arena, const struct type *type, const json_t *json,
	struct datum *value);

#endif
