/*
 * json_avro_write.c - converts JSON to an avro-c value
 *
 * The recursion follows the schema, whose depth type_compile() limits to TYPE_DEPTH_MAXIMUM.
 */
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "schemas/base/iso_time.h"
#include "schemas/base/nearest.h"
#include "schemas/base/text.h"
#include "worker/client/base64.h"
#include "worker/client/json_avro_walk.h"
#include "worker/client/json_print.h"

static bool json_avro_write_wrong(struct json_avro_walk *walk, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool json_avro_write_wrong(struct json_avro_walk *walk, const char *format, ...)
{
	char place[160];
	va_list args;
	int used;

	type_path_text(&walk->path, place, sizeof(place));
	used = snprintf(walk->why, walk->why_size, "%s%s", place, *place ? " " : "");
	va_start(args, format);
	vsnprintf(walk->why + used, walk->why_size - (size_t)used, format, args);
	va_end(args);
	return false;
}

static const char *json_name(const json_t *json)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "a text";
	case JSON_INTEGER:
	case JSON_REAL:
		return "a number";
	case JSON_NULL:
		return "null";
	default:
		return "true or false";
	}
}

static bool not_a(struct json_avro_walk *walk, const json_t *json, const char *wanted)
{
	return json_avro_write_wrong(walk, "is %s, it must be %s", json_name(json), wanted);
}

/* Accepts an integer, or a real number with an integral value. */
static bool json_avro_write_whole(struct json_avro_walk *walk, const json_t *json, int64_t *number)
{
	double real = json_number_value(json);

	if (json_is_integer(json)) {
		*number = json_integer_value(json);
		return true;
	}
	if (!json_is_real(json) || real != trunc(real) || fabs(real) > 9007199254740992.0)
		return not_a(walk, json, "a whole number");
	*number = (int64_t)real;
	return true;
}

static bool write_int(struct json_avro_walk *walk, const json_t *json, avro_value_t *value)
{
	int64_t number;

	if (!json_avro_write_whole(walk, json, &number))
		return false;
	if (number < INT32_MIN || number > INT32_MAX)
		return json_avro_write_wrong(walk, "is out of range: it must fit into 32 bits");
	return avro_value_set_int(value, (int32_t)number) == 0;
}

/* Reads ISO text. A date without time means midnight UTC, as in JavaScript. */
static bool write_time(struct json_avro_walk *walk, const json_t *json, avro_value_t *value)
{
	const char *text = json_string_value(json);
	char *whole_text;
	int64_t ms;
	bool ok;

	if (strlen(text) == strlen("2026-01-31"))
		whole_text = alloc_printf("%sT00:00:00Z", text);
	else
		whole_text = alloc_copy(text);
	ok = iso_time_read(whole_text, strlen(whole_text), &ms);
	free(whole_text);
	if (!ok)
		return json_avro_write_wrong(walk,
			"is not a time: write 2026-01-31T12:00:00.000Z, with a zone, or "
			"milliseconds since the epoch");
	return avro_value_set_long(value, ms) == 0;
}

static bool json_avro_write_long(struct json_avro_walk *walk, const struct type *type,
	const json_t *json, avro_value_t *value)
{
	int64_t number;

	if (type->logical == LOGICAL_TIMESTAMP_MILLIS && json_is_string(json))
		return write_time(walk, json, value);
	return json_avro_write_whole(walk, json, &number) &&
		avro_value_set_long(value, number) == 0;
}

static bool json_avro_write_real(struct json_avro_walk *walk, const struct type *type,
	const json_t *json, avro_value_t *value)
{
	double real = json_number_value(json);

	if (!json_is_number(json))
		return not_a(walk, json, "a number");
	if (type->kind == TYPE_DOUBLE)
		return avro_value_set_double(value, real) == 0;
	if (fabs(real) > (double)FLT_MAX)
		return json_avro_write_wrong(walk, "is out of the range of a float");
	return avro_value_set_float(value, (float)real) == 0;
}

static bool write_string(struct json_avro_walk *walk, const struct type *type, const json_t *json,
	avro_value_t *value)
{
	struct buffer text = { 0 };
	bool ok;

	if (type->logical == LOGICAL_JSON) {
		json_print(&text, json, false);
		ok = avro_value_set_string_len(value, (char *)text_string(&text), text.size + 1) ==
			0;
		buffer_free(&text);
		return ok;
	}
	if (!json_is_string(json))
		return not_a(walk, json, "a text");
	return avro_value_set_string_len(value, (char *)json_string_value(json),
		       json_string_length(json) + 1) == 0;
}

static bool write_bytes(struct json_avro_walk *walk, const json_t *json, avro_value_t *value)
{
	uint8_t *bytes;
	size_t size;
	bool ok;

	if (!json_is_string(json))
		return not_a(walk, json, "base64 text");
	if (!base64_read(json_string_value(json), json_string_length(json), &bytes, &size))
		return json_avro_write_wrong(walk, "is not base64 with padding");
	ok = avro_value_set_bytes(value, bytes, size) == 0;
	free(bytes);
	return ok;
}

static bool json_avro_write_array(struct json_avro_walk *walk, const struct type *type,
	const json_t *json, avro_value_t *value)
{
	bool ok = true;

	if (!json_is_array(json))
		return not_a(walk, json, "an array");
	type_path_enter(&walk->path, type);
	for (size_t i = 0; ok && i < json_array_size(json); i++) {
		avro_value_t item;

		type_path_index(&walk->path, i);
		ok = avro_value_append(value, &item, NULL) == 0 &&
			json_avro_write(walk, type->item, json_array_get(json, i), &item);
	}
	if (ok)
		type_path_leave(&walk->path);
	return ok;
}

static bool json_avro_write_map(struct json_avro_walk *walk, const struct type *type,
	const json_t *json, avro_value_t *value)
{
	size_t index = 0;
	bool ok = true;

	if (!json_is_object(json))
		return not_a(walk, json, "an object");
	type_path_enter(&walk->path, type);
	for (void *at = json_object_iter((json_t *)json); ok && at;
		at = json_object_iter_next((json_t *)json, at)) {
		avro_value_t item;

		type_path_index(&walk->path, index++);
		ok = avro_value_add(value, json_object_iter_key(at), &item, NULL, NULL) == 0 &&
			json_avro_write(walk, type->item, json_object_iter_value(at), &item);
	}
	if (ok)
		type_path_leave(&walk->path);
	return ok;
}

static bool write_field(struct json_avro_walk *walk, const struct type_field *field,
	const json_t *json, avro_value_t *value)
{
	if (json)
		return json_avro_write(walk, field->type, json, value);
	if (field->has_default)
		return json_avro_default(field->type, &field->default_value, value);
	return json_avro_write_wrong(walk, "is missing");
}

/* Reports the first property that the record does not have. */
static bool json_avro_write_find_unknown(struct json_avro_walk *walk, const struct type *type,
	const json_t *json)
{
	for (void *at = json_object_iter((json_t *)json); at;
		at = json_object_iter_next((json_t *)json, at)) {
		const char *name = json_object_iter_key(at);
		struct nearest nearest = { .wanted = name };

		if (type_field_index(type, name, strlen(name)) >= 0)
			continue;
		for (size_t i = 0; i < type->field_count; i++)
			nearest_offer(&nearest, type->fields[i].name);
		return json_avro_write_wrong(walk, "has no property \"%.64s\"%s%s%s", name,
			nearest.found ? "; did you mean \"" : "",
			nearest.found ? nearest.found : "", nearest.found ? "\"?" : "");
	}
	return true;
}

static bool json_avro_write_record(struct json_avro_walk *walk, const struct type *type,
	const json_t *json, avro_value_t *value)
{
	if (!json_is_object(json))
		return not_a(walk, json, "an object");
	if (!json_avro_write_find_unknown(walk, type, json))
		return false;
	type_path_enter(&walk->path, type);
	for (size_t i = 0; i < type->field_count; i++) {
		const struct type_field *field = &type->fields[i];
		avro_value_t child;

		type_path_index(&walk->path, i);
		if (avro_value_get_by_index(value, i, &child, NULL) ||
			!write_field(walk, field, json_object_get(json, field->name), &child))
			return false;
	}
	type_path_leave(&walk->path);
	return true;
}

static bool write_plain(struct json_avro_walk *walk, const struct type *type, const json_t *json,
	avro_value_t *value)
{
	switch (type->kind) {
	case TYPE_NULL:
		return json_is_null(json) ? avro_value_set_null(value) == 0
					  : not_a(walk, json, "null");
	case TYPE_BOOLEAN:
		return json_is_boolean(json)
			? avro_value_set_boolean(value, json_is_true(json)) == 0
			: not_a(walk, json, "true or false");
	case TYPE_INT:
		return write_int(walk, json, value);
	case TYPE_LONG:
		return json_avro_write_long(walk, type, json, value);
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
		return json_avro_write_real(walk, type, json, value);
	case TYPE_BYTES:
		return write_bytes(walk, json, value);
	case TYPE_STRING:
		return write_string(walk, type, json, value);
	case TYPE_RECORD:
		return json_avro_write_record(walk, type, json, value);
	case TYPE_ARRAY:
		return json_avro_write_array(walk, type, json, value);
	case TYPE_MAP:
		return json_avro_write_map(walk, type, json, value);
	}
	abort();
}

bool json_avro_write(struct json_avro_walk *walk, const struct type *type, const json_t *json,
	avro_value_t *value)
{
	avro_value_t branch;

	if (!type->nullable)
		return write_plain(walk, type, json, value);
	if (json_is_null(json))
		return avro_value_set_branch(value, type->null_branch, &branch) == 0 &&
			avro_value_set_null(&branch) == 0;
	return avro_value_set_branch(value, 1 - type->null_branch, &branch) == 0 &&
		write_plain(walk, type, json, &branch);
}
