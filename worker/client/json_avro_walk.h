/*
 * json_avro_walk.h - what the json_avro_*.c share: walks of a value along its type
 *
 * The types are those of schemas/ (names, defaults, logical types); the values avro-c's.
 */
#ifndef WORKER_CLIENT_JSON_AVRO_WALK_H
#define WORKER_CLIENT_JSON_AVRO_WALK_H

#include <avro.h>
#include <jansson.h>
#include <stdbool.h>

#include "schemas/avro/type.h"
#include "schemas/avro/type_path.h"

struct json_avro_walk {
	struct type_path path; /* where a failure happened */
	char *why;             /* receives the failure's text */
	size_t why_size;
};

/* False, and why, if the JSON does not fit the type. */
bool json_avro_write(struct json_avro_walk *walk, const struct type *type, const json_t *json,
	avro_value_t *value) __attribute__((warn_unused_result));
bool json_avro_default(const struct type *type, const struct datum *datum, avro_value_t *value)
	__attribute__((warn_unused_result));
/* NULL if avro-c fails; a text that is not UTF-8 becomes a text that says so. */
json_t *json_avro_read(const struct type *type, avro_value_t *value)
	__attribute__((warn_unused_result));

#endif
