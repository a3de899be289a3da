/* write.c - writes data as JSON by their Avro type */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "schemas/base/base64.h"
#include "schemas/base/iso_time.h"
#include "schemas/json_form/json_form.h"

struct form_writer {
	struct json_text *out;
	enum json_form form;
	const struct json_form_inner *inner;
	unsigned flags; /* DATUM_JSON_REPAIR once a part needs it */
};

static void form_write_value(struct form_writer *writer, const struct type *type,
	const struct datum *datum);

static void form_write_bytes(struct form_writer *writer, const struct datum *bytes)
{
	const struct json_form_inner *inner = writer->inner;
	struct buffer text = { 0 };

	if (inner && inner->write && inner->write(inner->arg, bytes, writer->out))
		return;
	base64_write(&text, bytes->text, bytes->size);
	json_text_string(writer->out, text.data ? (const char *)text.data : "", text.size);
	buffer_free(&text);
}

static void form_write_text(struct form_writer *writer, const struct type *type,
	const struct datum *text)
{
	if (type->kind == TYPE_BYTES) {
		form_write_bytes(writer, text);
		return;
	}
	if (type->logical == LOGICAL_JSON) {
		writer->flags |= text->flags & DATUM_JSON_REPAIR;
		json_text_value(writer->out, json_of(text));
		return;
	}
	if (text->size && memchr(text->text, 0, text->size))
		writer->flags |= DATUM_JSON_REPAIR;
	json_text_string(writer->out, text->text, text->size);
}

static void form_write_integer(struct form_writer *writer, const struct type *type, int64_t value)
{
	char digits[ISO_TIME_SIZE];

	if (type->logical == LOGICAL_TIMESTAMP_MILLIS) {
		size_t len = iso_time_write(digits, value);
		json_text_string(writer->out, digits, len);
		return;
	}
	snprintf(digits, sizeof(digits), "%lld", (long long)value);
	json_text_puts(writer->out, digits);
}

static void form_write_real(struct form_writer *writer, double value)
{
	char digits[32];

	if (!isfinite(value)) {
		json_text_puts(writer->out,
			writer->form == JSON_FORM_STORED ? "null"
				: isnan(value)           ? "\"NaN\""
				: value > 0              ? "\"Infinity\""
							 : "\"-Infinity\"");
		return;
	}
	snprintf(digits, sizeof(digits), "%.17g", value);
	struct datum exact = datum_string(digits);
	struct datum normal = json_normal(writer->out->arena, &exact);
	json_text_add(writer->out, normal.text, normal.size);
}

static void form_write_record(struct form_writer *writer, const struct type *type,
	const struct datum *record)
{
	json_text_puts(writer->out, "{");
	for (size_t i = 0; i < type->field_count; i++) {
		const struct type_field *field = &type->fields[i];
		if (writer->form == JSON_FORM_STORED && datum_is_null(&record->items[i]))
			continue;
		json_text_key(writer->out, field->name, strlen(field->name));
		form_write_value(writer, field->type, &record->items[i]);
	}
	json_text_puts(writer->out, "}");
}

static void form_write_array(struct form_writer *writer, const struct type *type,
	const struct datum *array)
{
	json_text_puts(writer->out, "[");
	for (uint32_t i = 0; i < array->size; i++) {
		json_text_comma(writer->out);
		form_write_value(writer, type->item, &array->items[i]);
	}
	json_text_puts(writer->out, "]");
}

static void form_write_floats(struct form_writer *writer, const struct datum *floats)
{
	json_text_puts(writer->out, "[");
	for (uint32_t i = 0; i < floats->size; i++) {
		json_text_comma(writer->out);
		form_write_real(writer, (double)datum_float(floats, i));
	}
	json_text_puts(writer->out, "]");
}

static void form_write_map(struct form_writer *writer, const struct type *type,
	const struct datum *map)
{
	json_text_puts(writer->out, "{");
	for (uint32_t i = 0; i < map->size; i++) {
		const struct datum *key = &map->items[2 * i];
		json_text_comma(writer->out);
		form_write_text(writer, &(struct type){ .kind = TYPE_STRING }, key);
		json_text_puts(writer->out, ":");
		form_write_value(writer, type->item, &map->items[2 * i + 1]);
	}
	json_text_puts(writer->out, "}");
}

static void form_write_value(struct form_writer *writer, const struct type *type,
	const struct datum *datum)
{
	switch (datum->kind) {
	case DATUM_NULL:
		json_text_puts(writer->out, "null");
		return;
	case DATUM_BOOLEAN:
		json_text_puts(writer->out, datum->boolean ? "true" : "false");
		return;
	case DATUM_INTEGER:
		form_write_integer(writer, type, datum->integer);
		return;
	case DATUM_REAL:
		form_write_real(writer, datum->real);
		return;
	case DATUM_TEXT:
		form_write_text(writer, type, datum);
		return;
	case DATUM_RECORD:
		form_write_record(writer, type, datum);
		return;
	case DATUM_ARRAY:
		form_write_array(writer, type, datum);
		return;
	case DATUM_MAP:
		form_write_map(writer, type, datum);
		return;
	case DATUM_FLOATS:
		form_write_floats(writer, datum);
		return;
	}
}

unsigned json_form_write(struct json_text *out, const struct type *type, const struct datum *datum,
	enum json_form form, const struct json_form_inner *inner)
{
	struct form_writer writer = { .out = out, .form = form, .inner = inner };

	form_write_value(&writer, type, datum);
	return writer.flags;
}
