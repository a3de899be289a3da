/*
 * type_default.h - converts a field's default value to a datum
 *
 * Source: Apache Avro 1.11 specification, "Complex Types", default values.
 */
#ifndef SCHEMAS_AVRO_TYPE_DEFAULT_H
#define SCHEMAS_AVRO_TYPE_DEFAULT_H

#include <jansson.h>
#include <stdbool.h>

#include "schemas/avro/type.h"
#include "schemas/base/arena.h"

/* Converts a JSON value. False if the value does not fit the type (of a union: its first branch).
 * What the datum points to is in the arena. The recursion is limited by the type's depth. */
bool type_default(struct arena *arena, const struct type *type, const json_t *json,
	struct datum *value);

#endif
