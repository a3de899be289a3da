/* datum_json.c - writes data as JSON by their Avro type, and reads it back */
#include "handlers/core/datum_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/iso_time.h"
#include "schemas/json_form/json_form.h"

struct datum datum_to_json(struct arena *arena, const struct type *type, const struct datum *datum)
{
	struct json_text text = json_text_new(arena);
	unsigned flags = json_form_write(&text, type, datum, JSON_FORM_STORED, NULL);
	struct datum json = json_datum(json_text_end(&text));

	json.flags = flags;
	return json;
}

/* ---------------------------------------------------------------- from JSON */

/* The datum for a missing value or one of another kind. */
static struct datum datum_json_empty(const struct type *type)
{
	if (type->nullable)
		return datum_null();
	switch (type->kind) {
	case TYPE_BOOLEAN:
		return datum_boolean(false);
	case TYPE_INT:
	case TYPE_LONG:
		return datum_integer(0);
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
		return datum_real(0);
	case TYPE_BYTES:
	case TYPE_STRING:
		return type->logical == LOGICAL_JSON ? datum_string("null") : datum_string("");
	case TYPE_ARRAY:
		return datum_array(NULL, 0);
	case TYPE_MAP:
		return datum_map(NULL, 0);
	case TYPE_NULL:
	case TYPE_RECORD:
		break;
	}
	return datum_null();
}

static double datum_json_read_real(struct arena *arena, struct json value)
{
	return strtod(arena_copy(arena, value.text, value.len), NULL);
}

/* A number as an int or a long: a fraction is cut off, a number out of range becomes the nearest. */
static struct datum datum_json_read_integer(struct arena *arena, const struct type *type,
	struct json value)
{
	double low = type->kind == TYPE_INT ? (double)INT32_MIN : -0x1p63;
	double high = type->kind == TYPE_INT ? (double)INT32_MAX : 0x1.fffffffffffffp62;
	double number = datum_json_read_real(arena, value);

	return datum_integer((int64_t)fmin(fmax(number, low), high));
}

static struct datum datum_json_read_time(struct arena *arena, const struct type *type,
	struct json value)
{
	int64_t ms;

	if (json_kind(value) == JSON_NUMBER_KIND)
		return datum_json_read_integer(arena, type, value);
	struct datum text = json_unquote(arena, value);
	return iso_time_read(text.text, text.size, &ms) ? datum_integer(ms)
							: datum_json_empty(type);
}

static struct datum datum_json_read_record(struct arena *arena, const struct type *type,
	struct json value)
{
	struct datum *fields = arena_calloc(arena, type->field_count + 1, sizeof(*fields));
	struct json_iter iter = json_iter(value);
	struct json key, member;

	for (size_t i = 0; i < type->field_count; i++)
		fields[i] = datum_from_json(arena, type->fields[i].type, (struct json){ 0 });
	while (iter.members && json_next(&iter, &key, &member)) {
		int index = type_field_index(type, key.text + 1, key.len - 2);
		if (index >= 0)
			fields[index] = datum_from_json(arena, type->fields[index].type, member);
	}
	return datum_record(fields, (uint32_t)type->field_count);
}

static uint32_t datum_json_count_items(struct json container)
{
	struct json_iter iter = json_iter(container);
	struct json value;
	uint32_t count = 0;

	while (json_next(&iter, NULL, &value))
		count++;
	return count;
}

static struct datum datum_json_read_array(struct arena *arena, const struct type *type,
	struct json value)
{
	uint32_t count = datum_json_count_items(value);
	struct datum *items = arena_calloc(arena, (size_t)count + 1, sizeof(*items));
	struct json_iter iter = json_iter(value);
	struct json item;

	for (uint32_t i = 0; json_next(&iter, NULL, &item); i++)
		items[i] = datum_from_json(arena, type->item, item);
	return datum_array(items, count);
}

static struct datum datum_json_read_map(struct arena *arena, const struct type *type,
	struct json value)
{
	uint32_t count = datum_json_count_items(value);
	struct datum *items = arena_calloc(arena, 2 * (size_t)count + 1, sizeof(*items));
	struct json_iter iter = json_iter(value);
	struct json key, item;

	for (uint32_t i = 0; json_next(&iter, &key, &item); i += 2) {
		items[i] = json_unquote(arena, key);
		items[i + 1] = datum_from_json(arena, type->item, item);
	}
	return datum_map(items, count);
}

/* Can the value be read as the type? */
static bool datum_json_fits(const struct type *type, struct json value)
{
	enum json_kind kind = json_kind(value);

	switch (type->kind) {
	case TYPE_BOOLEAN:
		return kind == JSON_TRUE_KIND || kind == JSON_FALSE_KIND;
	case TYPE_INT:
	case TYPE_LONG:
		return kind == JSON_NUMBER_KIND ||
			(type->logical == LOGICAL_TIMESTAMP_MILLIS && kind == JSON_STRING_KIND);
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
		return kind == JSON_NUMBER_KIND;
	case TYPE_BYTES:
	case TYPE_STRING:
		if (type->logical == LOGICAL_JSON)
			return kind != JSON_ABSENT && !(type->nullable && kind == JSON_NULL_KIND);
		return kind == JSON_STRING_KIND;
	case TYPE_ARRAY:
		return kind == JSON_ARRAY_KIND;
	case TYPE_MAP:
		return kind == JSON_OBJECT_KIND;
	case TYPE_RECORD: /* not nullable: any other value makes an empty record */
		return kind == JSON_OBJECT_KIND || !type->nullable;
	case TYPE_NULL:
		break;
	}
	return false;
}

struct datum datum_from_json(struct arena *arena, const struct type *type, struct json value)
{
	if (!datum_json_fits(type, value))
		return datum_json_empty(type);
	switch (type->kind) {
	case TYPE_BOOLEAN:
		return datum_boolean(json_kind(value) == JSON_TRUE_KIND);
	case TYPE_INT:
	case TYPE_LONG:
		return type->logical == LOGICAL_TIMESTAMP_MILLIS
			? datum_json_read_time(arena, type, value)
			: datum_json_read_integer(arena, type, value);
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
		return datum_real(datum_json_read_real(arena, value));
	case TYPE_BYTES:
	case TYPE_STRING:
		return type->logical == LOGICAL_JSON ? json_datum(value)
						     : json_unquote(arena, value);
	case TYPE_ARRAY:
		return datum_json_read_array(arena, type, value);
	case TYPE_MAP:
		return datum_json_read_map(arena, type, value);
	case TYPE_RECORD:
		return datum_json_read_record(arena, type, value);
	case TYPE_NULL:
		break;
	}
	return datum_null();
}
