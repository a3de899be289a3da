/*
 * json_avro.c - one avro-c schema with a reusable value
 */
#include "worker/client/json_avro.h"

#include <avro.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "worker/client/json_avro_walk.h"

struct json_avro {
	const struct type *type;
	avro_schema_t schema;
	avro_value_iface_t *class;
	avro_value_t value;
};

struct json_avro *json_avro_new(const struct catalog_schema *of, char why[JSON_AVRO_WHY_MAX])
{
	struct json_avro *schema = alloc_zero(1, sizeof(*schema));

	schema->type = of->type;
	if (avro_schema_from_json_length(of->text, strlen(of->text), &schema->schema) == 0)
		schema->class = avro_generic_class_from_schema(schema->schema);
	if (schema->class && avro_generic_value_new(schema->class, &schema->value) == 0)
		return schema;
	snprintf(why, JSON_AVRO_WHY_MAX, "avro-c rejects the schema: %s", avro_strerror());
	json_avro_free(schema);
	return NULL;
}

void json_avro_free(struct json_avro *schema)
{
	if (!schema)
		return;
	if (schema->value.self)
		avro_value_decref(&schema->value);
	if (schema->class)
		avro_value_iface_decref(schema->class);
	if (schema->schema)
		avro_schema_decref(schema->schema);
	free(schema);
}

static bool encode_datum(avro_value_t *value, uint8_t **bytes, size_t *size)
{
	avro_writer_t writer;
	int failed;

	if (avro_value_sizeof(value, size))
		return false;
	*bytes = alloc_zero(1, *size + 1);
	writer = avro_writer_memory((char *)*bytes, (int64_t)*size);
	failed = avro_value_write(writer, value);
	avro_writer_free(writer);
	if (failed)
		free(*bytes);
	return !failed;
}

bool json_avro_encode(struct json_avro *schema, const json_t *json, uint8_t **bytes, size_t *size,
	char why[JSON_AVRO_WHY_MAX])
{
	struct json_avro_walk walk = { .why = why, .why_size = JSON_AVRO_WHY_MAX };

	/* The text for errors of avro-c, which report no details. */
	snprintf(why, JSON_AVRO_WHY_MAX, "does not match the schema");
	return avro_value_reset(&schema->value) == 0 &&
		json_avro_write(&walk, schema->type, json, &schema->value) &&
		encode_datum(&schema->value, bytes, size);
}

json_t *json_avro_decode(struct json_avro *schema, const void *bytes, size_t size,
	char why[JSON_AVRO_WHY_MAX])
{
	avro_reader_t reader = avro_reader_memory(bytes, (int64_t)size);
	json_t *json = NULL;

	if (avro_value_reset(&schema->value) == 0 && avro_value_read(reader, &schema->value) == 0)
		json = json_avro_read(schema->type, &schema->value);
	if (!json)
		snprintf(why, JSON_AVRO_WHY_MAX, "is not a datum of the schema: %s",
			avro_strerror());
	avro_reader_free(reader);
	return json;
}
