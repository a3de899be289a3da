/*
 * type_default.c - converts a field's default value to a datum
 */
#include "schemas/avro/type_default.h"

#include <string.h>

#include "schemas/json/check.h"

static bool whole_number(const struct type *type, const json_t *json, struct datum *value)
{
	json_int_t number = json_integer_value(json);
	*value = datum_integer(number);
	return json_is_integer(json) &&
		(type->kind == TYPE_LONG || (number >= INT32_MIN && number <= INT32_MAX));
}

static bool type_default_text(struct arena *arena, const struct type *type, const json_t *json,
	struct datum *value)
{
	size_t size = json_string_length(json);
	const char *bytes = json_string_value(json);
	if (!bytes || size > UINT32_MAX)
		return false;
	*value = datum_text(arena_copy(arena, bytes, size), (uint32_t)size);
	if (type->logical != LOGICAL_JSON)
		return true;
	struct json_check check = json_check(bytes, size, JSON_DEPTH_MAXIMUM);
	value->flags = check.repair ? DATUM_JSON_REPAIR : 0;
	return check.verdict == JSON_VALID;
}

/* The JSON string has a code point from 0 to 255, one or two bytes of UTF-8, for each byte. */
static bool type_default_bytes(struct arena *arena, const json_t *json, struct datum *value)
{
	const unsigned char *source = (const unsigned char *)json_string_value(json);
	if (!source)
		return false;
	const unsigned char *end = source + json_string_length(json);
	char *target = arena_alloc(arena, (size_t)(end - source) + 1);
	uint32_t size = 0;
	while (source < end) {
		if (*source > 0xC3)
			return false;
		unsigned point = *source++;
		if (point >= 0x80)
			point = (point & 3) << 6 | (*source++ & 0x3F);
		target[size++] = (char)point;
	}
	*value = datum_text(target, size);
	return true;
}

static bool type_default_array(struct arena *arena, const struct type *type, const json_t *json,
	struct datum *value)
{
	uint32_t count = (uint32_t)json_array_size(json);
	*value = datum_array(arena_calloc(arena, count, sizeof(struct datum)), count);
	for (uint32_t i = 0; i < count; i++)
		if (!type_default(arena, type->item, json_array_get(json, i), &value->items[i]))
			return false;
	return json_is_array(json);
}

static bool type_default_map(struct arena *arena, const struct type *type, json_t *json,
	struct datum *value)
{
	uint32_t count = (uint32_t)json_object_size(json), at = 0;
	*value = datum_map(arena_calloc(arena, count, 2 * sizeof(struct datum)), count);
	const char *key;
	json_t *item;
	json_object_foreach(json, key, item) {
		size_t size = strlen(key);
		value->items[at++] = datum_text(arena_copy(arena, key, size), (uint32_t)size);
		if (!type_default(arena, type->item, item, &value->items[at++]))
			return false;
	}
	return json_is_object(json);
}

static bool type_default_record(struct arena *arena, const struct type *type, const json_t *json,
	struct datum *value)
{
	uint32_t count = (uint32_t)type->field_count;
	*value = datum_record(arena_calloc(arena, count, sizeof(struct datum)), count);
	for (uint32_t i = 0; i < count; i++) {
		const struct type_field *field = &type->fields[i];
		const json_t *given = json_object_get(json, field->name);
		if (given ? !type_default(arena, field->type, given, &value->items[i])
			  : !field->has_default)
			return false;
		if (!given)
			value->items[i] = field->default_value;
	}
	return json_is_object(json);
}

bool type_default(struct arena *arena, const struct type *type, const json_t *json,
	struct datum *value)
{
	*value = datum_null();
	if (type->nullable && type->null_branch == 0)
		return json_is_null(json);
	switch (type->kind) {
	case TYPE_NULL:
		return json_is_null(json);
	case TYPE_BOOLEAN:
		*value = datum_boolean(json_is_true(json));
		return json_is_boolean(json);
	case TYPE_INT:
	case TYPE_LONG:
		return whole_number(type, json, value);
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
		*value = datum_real(json_number_value(json));
		return json_is_number(json);
	case TYPE_BYTES:
		return type_default_bytes(arena, json, value);
	case TYPE_STRING:
		return type_default_text(arena, type, json, value);
	case TYPE_RECORD:
		return type_default_record(arena, type, json, value);
	case TYPE_ARRAY:
		return type_default_array(arena, type, json, value);
	case TYPE_MAP:
		return type_default_map(arena, type, (json_t *)json, value);
	}
	return false;
}
