/*
 * json_avro_walk.h - the recursive functions behind json_avro.h
 *
 * Types come from schemas/avro (names, defaults, logical types), values from avro-c.
 */
#ifndef WORKER_CLIENT_JSON_AVRO_WALK_H
#define WORKER_CLIENT_JSON_AVRO_WALK_H

#include <avro.h>
#include <jansson.h>
#include <stdbool.h>

#include "schemas/avro/type.h"
#include "schemas/avro/type_path.h"

struct json_avro_walk {
	struct type_path path; /* the current field, for errors */
	char *why;             /* receives the failure's text */
	size_t why_size;
};

/* Returns false, with the reason in walk->why, if the JSON does not match the type. */
bool json_avro_write(struct json_avro_walk *walk, const struct type *type, const json_t *json,
	avro_value_t *value) __attribute__((warn_unused_result));
/* Writes a field's default. */
bool json_avro_default(const struct type *type, const struct datum *datum, avro_value_t *value)
	__attribute__((warn_unused_result));
/* NULL if avro-c fails. A string that is not UTF-8 becomes "(not UTF-8)". */
json_t *json_avro_read(const struct type *type, avro_value_t *value)
	__attribute__((warn_unused_result));

#endif
