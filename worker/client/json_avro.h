/*
 * json_avro.h - JSON as people write it, to and from Avro data, by avro-c
 *
 * Unlike Avro's own JSON encoding: a union's value stands bare, bytes are base64, a
 * timestamp-millis is ISO text (milliseconds are read too), a json field is the JSON value
 * itself. What is missing gets its default.
 *
 * The bytes are avro-c's and not those of schemas/, so that what the command line sends and reads
 * holds the worker's own encoding against another implementation. avro-c knows neither defaults
 * nor logical types: they are taken from the compiled type, walked beside the value.
 *
 * A schema may be used by one thread at a time.
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

/* The catalog's schema must outlive this. NULL if avro-c refuses it; `why` says the reason. */
struct json_avro *json_avro_new(const struct catalog_schema *of, char why[JSON_AVRO_WHY_MAX])
	__attribute__((warn_unused_result));
void json_avro_free(struct json_avro *schema);

/* Encodes the value into a new block (free it). False if it does not fit the schema; `why` then
 * names the place and what is wrong, for an unknown property the nearest known one. */
bool json_avro_encode(struct json_avro *schema, const json_t *value, uint8_t **bytes, size_t *size,
	char why[JSON_AVRO_WHY_MAX]) __attribute__((warn_unused_result));

/* Decodes a datum that this very schema wrote; NULL if it is none. */
json_t *json_avro_decode(struct json_avro *schema, const void *bytes, size_t size,
	char why[JSON_AVRO_WHY_MAX]) __attribute__((warn_unused_result));

#endif
