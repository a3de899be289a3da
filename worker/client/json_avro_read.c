/*
 * json_avro_read.c - converts an avro-c value to JSON
 *
 * The recursion follows the schema, whose depth type_compile() limits to TYPE_DEPTH_MAXIMUM.
 */
#include <math.h>
#include <stdlib.h>

#include "schemas/base/iso_time.h"
#include "schemas/base/text.h"
#include "worker/client/base64.h"
#include "worker/client/json_avro_walk.h"
#include "worker/client/json_print.h"

/* Infinities and NaN become texts, because JSON has no such numbers. */
static json_t *from_real(double real)
{
	if (isfinite(real))
		return json_real(real);
	return isnan(real) ? json_stringn("NaN", 3)
		: real > 0 ? json_stringn("Infinity", 8)
			   : json_stringn("-Infinity", 9);
}

static json_t *from_long(const struct type *type, int64_t number)
{
	char text[ISO_TIME_SIZE];

	if (type->logical != LOGICAL_TIMESTAMP_MILLIS)
		return json_integer(number);
	return json_stringn(text, iso_time_write(text, number));
}

static json_t *from_string(const struct type *type, const char *bytes, size_t len)
{
	json_error_t error;
	json_t *json = NULL;

	if (type->logical == LOGICAL_JSON)
		json = json_parse(bytes, len, &error);
	if (!json)
		json = json_stringn(bytes, len);
	return json ? json : json_stringn("(not UTF-8)", 11);
}

static json_t *read_items(const struct type *type, avro_value_t *value)
{
	json_t *array = json_array();
	size_t count = 0;

	avro_value_get_size(value, &count);
	for (size_t i = 0; i < count; i++) {
		avro_value_t item;
		json_t *json;

		avro_value_get_by_index(value, i, &item, NULL);
		json = json_avro_read(type->item, &item);
		if (!json || json_array_append_new(array, json)) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* Records and maps both return names by index. */
static json_t *read_members(const struct type *type, avro_value_t *value)
{
	json_t *object = json_object();
	size_t count = 0;

	avro_value_get_size(value, &count);
	for (size_t i = 0; i < count; i++) {
		avro_value_t member;
		const char *name;
		json_t *json;

		avro_value_get_by_index(value, i, &member, &name);
		json = json_avro_read(type->kind == TYPE_MAP ? type->item : type->fields[i].type,
			&member);
		if (!json || json_object_set_new(object, name, json)) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

static json_t *json_avro_read_number(const struct type *type, avro_value_t *value)
{
	int32_t int_value = 0;
	int64_t long_value = 0;
	float float_value = 0;
	double double_value = 0;

	switch (type->kind) {
	case TYPE_INT:
		avro_value_get_int(value, &int_value);
		return json_integer(int_value);
	case TYPE_LONG:
		avro_value_get_long(value, &long_value);
		return from_long(type, long_value);
	case TYPE_FLOAT:
		avro_value_get_float(value, &float_value);
		return from_real((double)float_value);
	default:
		avro_value_get_double(value, &double_value);
		return from_real(double_value);
	}
}

static json_t *read_plain(const struct type *type, avro_value_t *value)
{
	const void *bytes = NULL;
	const char *text = NULL;
	size_t size = 0;
	int boolean = 0;

	switch (type->kind) {
	case TYPE_NULL:
		return json_null();
	case TYPE_BOOLEAN:
		avro_value_get_boolean(value, &boolean);
		return json_boolean(boolean);
	case TYPE_BYTES:
		avro_value_get_bytes(value, &bytes, &size);
		return base64_json(bytes, size);
	case TYPE_STRING:
		avro_value_get_string(value, &text, &size);
		return from_string(type, text, size - 1);
	case TYPE_ARRAY:
		return read_items(type, value);
	case TYPE_RECORD:
	case TYPE_MAP:
		return read_members(type, value);
	default:
		return json_avro_read_number(type, value);
	}
}

json_t *json_avro_read(const struct type *type, avro_value_t *value)
{
	avro_value_t branch;
	int index = 0;

	if (!type->nullable)
		return read_plain(type, value);
	if (avro_value_get_discriminant(value, &index))
		return NULL;
	if (index == type->null_branch)
		return json_null();
	return avro_value_get_current_branch(value, &branch) ? NULL : read_plain(type, &branch);
}
