/*
 * json_avro.h - converts between simple JSON and Avro data with avro-c
 *
 * It differs from Avro's own JSON encoding: a union's value has no type name, bytes are base64, a
 * timestamp-millis is ISO text (or milliseconds, when read), and a json field is plain JSON.
 * Missing fields get their defaults.
 *
 * It uses avro-c rather than schemas/avro, so that the command line tests the worker's encoding
 * against another implementation. avro-c supports neither defaults nor logical types, so this code
 * takes them from the compiled type of the catalog.
 *
 * One thread at a time per schema.
 */
#ifndef WORKER_CLIENT_JSON_AVRO_H
#define WORKER_CLIENT_JSON_AVRO_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schemas/catalog/catalog.h"

struct json_avro;

#define JSON_AVRO_WHY_MAX 512

/* `of` must outlive the result. NULL, with the reason in `why`, if avro-c rejects the schema. */
struct json_avro *json_avro_new(const struct catalog_schema *of, char why[JSON_AVRO_WHY_MAX])
	__attribute__((warn_unused_result));
void json_avro_free(struct json_avro *schema);

/* Encodes the value into a new block, which the caller frees. Returns false if the value does not
 * match the schema. `why` then names the field and the mistake; for an unknown property also the
 * nearest known one. */
bool json_avro_encode(struct json_avro *schema, const json_t *value, uint8_t **bytes, size_t *size,
	char why[JSON_AVRO_WHY_MAX]) __attribute__((warn_unused_result));

/* Decodes a datum of this schema; NULL, with the reason in `why`, if the bytes are not one. */
json_t *json_avro_decode(struct json_avro *schema, const void *bytes, size_t size,
	char why[JSON_AVRO_WHY_MAX]) __attribute__((warn_unused_result));

#endif
