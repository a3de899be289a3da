/*
 * encode.c - encodes a datum into Avro's binary encoding
 *
 * The encoder recurses over the type, which has up to TYPE_DEPTH_MAXIMUM levels. A deeper datum does
 * not fit the type.
 */
#include "schemas/avro/encode.h"

#include <stdio.h>
#include <string.h>

#include "schemas/avro/type_path.h"

struct encoder {
	struct buffer *out;
	struct type_path path;
	char *error;
	size_t error_size;
};

static bool encode_value(struct encoder *e, const struct type *type, const struct datum *datum);

__attribute__((cold, noinline)) static bool encode_misfit(struct encoder *e,
	const struct type *type, const char *reason)
{
	char where[128];
	type_path_text(&e->path, where, sizeof(where));
	snprintf(e->error, e->error_size, "%s%sdoes not fit %s%s: %s", where, *where ? ": " : "",
		type->nullable ? "null or " : "", type_kind_name(type->kind), reason);
	return false;
}

/* The maximum size of a long, a varint. */
#define LONG_BYTES 10

static void encode_write_long(struct encoder *e, int64_t number)
{
	uint64_t bits = ((uint64_t)number << 1) ^ (uint64_t)(number >> 63);
	uint8_t bytes[LONG_BYTES];
	size_t size = 0;
	if (bits < 0x80) {
		buffer_add_byte(e->out, (uint8_t)bits);
		return;
	}
	while (bits >= 0x80) {
		bytes[size++] = (uint8_t)(bits | 0x80);
		bits >>= 7;
	}
	bytes[size++] = (uint8_t)bits;
	buffer_add(e->out, bytes, size);
}

static void write_little_endian(struct encoder *e, uint64_t bits, size_t size)
{
	uint8_t *room = buffer_extend(e->out, size);
	for (size_t i = 0; room && i < size; i++)
		room[i] = (uint8_t)(bits >> (8 * i));
}

static bool encode_boolean(struct encoder *e, const struct type *type, const struct datum *datum)
{
	if (datum->kind != DATUM_BOOLEAN)
		return encode_misfit(e, type, "the datum has another kind");
	buffer_add_byte(e->out, datum->boolean ? 1 : 0);
	return true;
}

static bool encode_integer(struct encoder *e, const struct type *type, const struct datum *datum)
{
	int64_t number = datum->integer;
	if (datum->kind != DATUM_INTEGER)
		return encode_misfit(e, type, "the datum has another kind");
	if (type->kind == TYPE_INT && (number < INT32_MIN || number > INT32_MAX))
		return encode_misfit(e, type, "the number is out of range");
	encode_write_long(e, number);
	return true;
}

/* Accepts an integer, too: columns of counts are integers where the reply has a double. */
static bool encode_real(struct encoder *e, const struct type *type, const struct datum *datum)
{
	if (datum->kind != DATUM_REAL && datum->kind != DATUM_INTEGER)
		return encode_misfit(e, type, "the datum has another kind");
	double number = datum->kind == DATUM_REAL ? datum->real : (double)datum->integer;
	if (type->kind == TYPE_FLOAT) {
		float narrow = (float)number;
		uint32_t bits;
		memcpy(&bits, &narrow, sizeof(bits));
		write_little_endian(e, bits, sizeof(bits));
	} else {
		uint64_t bits;
		memcpy(&bits, &number, sizeof(bits));
		write_little_endian(e, bits, sizeof(bits));
	}
	return true;
}

static bool encode_text(struct encoder *e, const struct type *type, const struct datum *datum)
{
	if (datum->kind != DATUM_TEXT)
		return encode_misfit(e, type, "the datum has another kind");
	encode_write_long(e, datum->size);
	buffer_add(e->out, datum->text, datum->size);
	return true;
}

static bool encode_record(struct encoder *e, const struct type *type, const struct datum *datum)
{
	if (datum->kind != DATUM_RECORD)
		return encode_misfit(e, type, "the datum has another kind");
	if (datum->size != type->field_count)
		return encode_misfit(e, type, "the datum has another number of fields");
	type_path_enter(&e->path, type);
	for (size_t i = 0; i < type->field_count; i++) {
		type_path_index(&e->path, i);
		if (!encode_value(e, type->fields[i].type, &datum->items[i]))
			return false;
	}
	type_path_leave(&e->path);
	return true;
}

static bool encode_item(struct encoder *e, const struct type *type, const struct datum *datum)
{
	if (type->kind == TYPE_ARRAY)
		return encode_value(e, type->item, datum);
	static const struct type key = { .kind = TYPE_STRING };
	return encode_text(e, &key, datum) && encode_value(e, type->item, datum + 1);
}

static bool is_floats(const struct type *type, const struct datum *datum)
{
	return datum->kind == DATUM_FLOATS && type->kind == TYPE_ARRAY &&
		type->item->kind == TYPE_FLOAT && !type->item->nullable;
}

/* Writes the items as one block without a size, because the size is not known in advance. */
static bool encode_items(struct encoder *e, const struct type *type, const struct datum *datum)
{
	if (is_floats(type, datum)) {
		if (datum->size)
			encode_write_long(e, datum->size);
		buffer_add(e->out, datum->text, datum->size * sizeof(float));
		encode_write_long(e, 0);
		return true;
	}
	size_t width = type->kind == TYPE_MAP ? 2 : 1;
	if (datum->kind != (type->kind == TYPE_MAP ? DATUM_MAP : DATUM_ARRAY))
		return encode_misfit(e, type, "the datum has another kind");
	type_path_enter(&e->path, type);
	if (datum->size)
		encode_write_long(e, datum->size);
	for (size_t i = 0; i < datum->size; i++) {
		type_path_index(&e->path, i);
		if (!encode_item(e, type, &datum->items[i * width]))
			return false;
	}
	encode_write_long(e, 0);
	type_path_leave(&e->path);
	return true;
}

static bool encode_value(struct encoder *e, const struct type *type, const struct datum *datum)
{
	if (type->nullable) {
		bool null = datum_is_null(datum);
		encode_write_long(e, null ? type->null_branch : 1 - type->null_branch);
		if (null)
			return true;
	}
	switch (type->kind) {
	case TYPE_NULL:
		return datum_is_null(datum) || encode_misfit(e, type, "the datum has another kind");
	case TYPE_BOOLEAN:
		return encode_boolean(e, type, datum);
	case TYPE_INT:
	case TYPE_LONG:
		return encode_integer(e, type, datum);
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
		return encode_real(e, type, datum);
	case TYPE_BYTES:
	case TYPE_STRING:
		return encode_text(e, type, datum);
	case TYPE_RECORD:
		return encode_record(e, type, datum);
	case TYPE_ARRAY:
	case TYPE_MAP:
		return encode_items(e, type, datum);
	}
	return encode_misfit(e, type, "the type is unknown");
}

enum encode_verdict encode(struct buffer *out, const struct type *type, const struct datum *datum,
	char *error, size_t error_size)
{
	struct encoder e; /* not cleared: type_path_enter() writes each step before it is read */
	e.out = out;
	e.path.depth = 0;
	e.error = error;
	e.error_size = error_size;
	size_t before = out->size;
	if (!encode_value(&e, type, datum)) {
		out->size = before;
		return ENCODE_MISFIT;
	}
	if (!out->failed)
		return ENCODE_OK;
	out->size = before;
	snprintf(error, error_size, "is larger than %zu bytes", out->maximum);
	return ENCODE_TOO_LARGE;
}
