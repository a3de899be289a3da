/*
 * json_avro_default.c - writes a field's default to an avro-c value
 */
#include <stdlib.h>

#include "schemas/base/alloc.h"
#include "worker/client/json_avro_walk.h"

static bool write_default_items(const struct type *type, const struct datum *datum,
	avro_value_t *value)
{
	bool ok = true;

	for (uint32_t i = 0; ok && i < datum->size; i++) {
		avro_value_t child;

		if (type->kind == TYPE_RECORD)
			ok = avro_value_get_by_index(value, i, &child, NULL) == 0 &&
				json_avro_default(type->fields[i].type, &datum->items[i], &child);
		else
			ok = avro_value_append(value, &child, NULL) == 0 &&
				json_avro_default(type->item, &datum->items[i], &child);
	}
	return ok;
}

static bool write_default_map(const struct type *type, const struct datum *datum,
	avro_value_t *value)
{
	bool ok = true;

	for (uint32_t i = 0; ok && i < datum->size; i++) {
		const struct datum *pair = &datum->items[2 * i];
		char *key = alloc_bytes(pair[0].text, pair[0].size);
		avro_value_t child;

		ok = avro_value_add(value, key, &child, NULL, NULL) == 0 &&
			json_avro_default(type->item, &pair[1], &child);
		free(key);
	}
	return ok;
}

static bool write_default_text(const struct type *type, const struct datum *datum,
	avro_value_t *value)
{
	char *copy = alloc_bytes(datum->text, datum->size);
	bool ok;

	if (type->kind == TYPE_BYTES)
		ok = avro_value_set_bytes(value, copy, datum->size) == 0;
	else
		ok = avro_value_set_string_len(value, copy, datum->size + 1) == 0;
	free(copy);
	return ok;
}

static bool write_default_plain(const struct type *type, const struct datum *datum,
	avro_value_t *value)
{
	switch (type->kind) {
	case TYPE_NULL:
		return avro_value_set_null(value) == 0;
	case TYPE_BOOLEAN:
		return avro_value_set_boolean(value, datum->boolean) == 0;
	case TYPE_INT:
		return avro_value_set_int(value, (int32_t)datum->integer) == 0;
	case TYPE_LONG:
		return avro_value_set_long(value, datum->integer) == 0;
	case TYPE_FLOAT:
		return avro_value_set_float(value, (float)datum->real) == 0;
	case TYPE_DOUBLE:
		return avro_value_set_double(value, datum->real) == 0;
	case TYPE_BYTES:
	case TYPE_STRING:
		return write_default_text(type, datum, value);
	case TYPE_MAP:
		return write_default_map(type, datum, value);
	case TYPE_RECORD:
	case TYPE_ARRAY:
		return write_default_items(type, datum, value);
	}
	abort();
}

bool json_avro_default(const struct type *type, const struct datum *datum, avro_value_t *value)
{
	avro_value_t branch;

	if (!type->nullable)
		return write_default_plain(type, datum, value);
	if (datum_is_null(datum))
		return avro_value_set_branch(value, type->null_branch, &branch) == 0 &&
			avro_value_set_null(&branch) == 0;
	return avro_value_set_branch(value, 1 - type->null_branch, &branch) == 0 &&
		write_default_plain(type, datum, &branch);
}
