/*
 * oracle.c - encodes and decodes a datum with avro-c
 */
#include "tests/support/oracle.h"

#include <avro.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"

#define ENCODED_MAXIMUM ((size_t)1024 * 1024)

struct oracle {
	avro_schema_t schema;
	avro_value_iface_t *class;
	avro_value_t value;
};

static bool fill(avro_value_t *value, const struct datum *datum);

struct oracle *oracle_new(const char *schema)
{
	struct oracle *oracle = allocate(sizeof(*oracle));
	if (avro_schema_from_json_length(schema, strlen(schema), &oracle->schema) != 0) {
		free(oracle);
		return NULL;
	}
	oracle->class = avro_generic_class_from_schema(oracle->schema);
	avro_generic_value_new(oracle->class, &oracle->value);
	return oracle;
}

void oracle_free(struct oracle *oracle)
{
	avro_value_decref(&oracle->value);
	avro_value_iface_decref(oracle->class);
	avro_schema_decref(oracle->schema);
	free(oracle);
}

static bool fill_text(avro_value_t *value, const struct datum *datum)
{
	char *copy = allocate((size_t)datum->size + 1);
	memcpy(copy, datum->text, datum->size);
	copy[datum->size] = '\0';
	bool ok = avro_value_get_type(value) == AVRO_BYTES
		? avro_value_set_bytes(value, copy, datum->size) == 0
		: avro_value_set_string_len(value, copy, (size_t)datum->size + 1) == 0;
	free(copy);
	return ok;
}

static bool fill_items(avro_value_t *value, const struct datum *datum)
{
	bool ok = true;
	for (uint32_t i = 0; ok && i < datum->size; i++) {
		avro_value_t child;
		if (datum->kind == DATUM_RECORD) {
			ok = avro_value_get_by_index(value, i, &child, NULL) == 0 &&
				fill(&child, &datum->items[i]);
		} else if (datum->kind == DATUM_FLOATS) {
			ok = avro_value_append(value, &child, NULL) == 0 &&
				avro_value_set_float(&child, datum_float(datum, i)) == 0;
		} else if (datum->kind == DATUM_ARRAY) {
			ok = avro_value_append(value, &child, NULL) == 0 &&
				fill(&child, &datum->items[i]);
		} else {
			char *key = strndup(datum->items[2 * i].text, datum->items[2 * i].size);
			ok = avro_value_add(value, key, &child, NULL, NULL) == 0 &&
				fill(&child, &datum->items[2 * i + 1]);
			free(key);
		}
	}
	return ok;
}

static bool fill_union(avro_value_t *value, const struct datum *datum)
{
	avro_schema_t first = avro_schema_union_branch(avro_value_get_schema(value), 0);
	int null_branch = avro_typeof(first) == AVRO_NULL ? 0 : 1;
	avro_value_t branch;
	int wanted = datum_is_null(datum) ? null_branch : 1 - null_branch;
	return avro_value_set_branch(value, wanted, &branch) == 0 && fill(&branch, datum);
}

static bool fill(avro_value_t *value, const struct datum *datum)
{
	switch (avro_value_get_type(value)) {
	case AVRO_UNION:
		return fill_union(value, datum);
	case AVRO_NULL:
		return avro_value_set_null(value) == 0;
	case AVRO_BOOLEAN:
		return avro_value_set_boolean(value, datum->boolean) == 0;
	case AVRO_INT32:
		return avro_value_set_int(value, (int32_t)datum->integer) == 0;
	case AVRO_INT64:
		return avro_value_set_long(value, datum->integer) == 0;
	case AVRO_FLOAT:
		return avro_value_set_float(value, (float)datum->real) == 0;
	case AVRO_DOUBLE:
		return avro_value_set_double(value, datum->real) == 0;
	case AVRO_STRING:
	case AVRO_BYTES:
		return fill_text(value, datum);
	default:
		return fill_items(value, datum);
	}
}

bool oracle_encode(struct oracle *oracle, const struct datum *datum, struct buffer *out)
{
	char *bytes = allocate(ENCODED_MAXIMUM);
	avro_writer_t writer = avro_writer_memory(bytes, (int64_t)ENCODED_MAXIMUM);
	avro_value_reset(&oracle->value);
	bool ok = fill(&oracle->value, datum) && avro_value_write(writer, &oracle->value) == 0;
	if (ok)
		buffer_add(out, bytes, (size_t)avro_writer_tell(writer));
	avro_writer_free(writer);
	free(bytes);
	return ok;
}

static bool same(avro_value_t *value, const struct datum *datum);

static bool same_text(avro_value_t *value, const struct datum *datum)
{
	const void *bytes;
	const char *text;
	size_t size;
	if (avro_value_get_type(value) == AVRO_BYTES) {
		if (avro_value_get_bytes(value, &bytes, &size) != 0)
			return false;
		text = bytes;
	} else {
		if (avro_value_get_string(value, &text, &size) != 0)
			return false;
		size--; /* avro-c counts the NUL */
	}
	return size == datum->size && memcmp(text, datum->text, size) == 0;
}

static bool same_items(avro_value_t *value, const struct datum *datum)
{
	size_t count;
	uint32_t width = datum->kind == DATUM_MAP ? 2 : 1;
	if (avro_value_get_size(value, &count) != 0 || count != datum->size)
		return false;
	for (uint32_t i = 0; i < datum->size; i++) {
		avro_value_t child;
		const char *name;
		struct datum number;
		const struct datum *items = &number;
		if (datum->kind == DATUM_FLOATS)
			number = datum_real((double)datum_float(datum, i));
		else
			items = &datum->items[(size_t)i * width];
		if (avro_value_get_by_index(value, i, &child, &name) != 0 ||
			!same(&child, items + width - 1))
			return false;
		if (width == 2 &&
			(strlen(name) != items->size ||
				memcmp(name, items->text, items->size) != 0))
			return false;
	}
	return true;
}

static bool same_number(avro_value_t *value, const struct datum *datum)
{
	int32_t narrow;
	int64_t wide;
	float single;
	double real;
	switch (avro_value_get_type(value)) {
	case AVRO_INT32:
		return avro_value_get_int(value, &narrow) == 0 && narrow == datum->integer;
	case AVRO_INT64:
		return avro_value_get_long(value, &wide) == 0 && wide == datum->integer;
	case AVRO_FLOAT:
		return avro_value_get_float(value, &single) == 0 && (double)single == datum->real;
	default:
		return avro_value_get_double(value, &real) == 0 && real == datum->real;
	}
}

static bool same(avro_value_t *value, const struct datum *datum)
{
	avro_value_t branch;
	int boolean;
	switch (avro_value_get_type(value)) {
	case AVRO_UNION:
		return avro_value_get_current_branch(value, &branch) == 0 && same(&branch, datum);
	case AVRO_NULL:
		return datum_is_null(datum);
	case AVRO_BOOLEAN:
		return avro_value_get_boolean(value, &boolean) == 0 &&
			datum->kind == DATUM_BOOLEAN && boolean == datum->boolean;
	case AVRO_INT32:
	case AVRO_INT64:
		return datum->kind == DATUM_INTEGER && same_number(value, datum);
	case AVRO_FLOAT:
	case AVRO_DOUBLE:
		return datum->kind == DATUM_REAL && same_number(value, datum);
	case AVRO_STRING:
	case AVRO_BYTES:
		return datum->kind == DATUM_TEXT && same_text(value, datum);
	default:
		return datum->kind >= DATUM_RECORD && same_items(value, datum);
	}
}

bool oracle_reads(struct oracle *oracle, const void *bytes, size_t size, const struct datum *datum)
{
	avro_reader_t reader = avro_reader_memory(bytes, (int64_t)size);
	char more;
	avro_value_reset(&oracle->value);
	bool ok = avro_value_read(reader, &oracle->value) == 0 &&
		avro_read(reader, &more, 1) != 0 && same(&oracle->value, datum);
	avro_reader_free(reader);
	return ok;
}
