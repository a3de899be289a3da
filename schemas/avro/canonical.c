/*
 * canonical.c - computes the Parsing Canonical Form and the fingerprint of a schema
 *
 * The functions recurse over the schema, up to NESTING_MAXIMUM levels. Schemas come from the build
 * or from a configured folder, never from a message.
 */
#include "schemas/avro/canonical.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/avro/names.h"
#include "schemas/base/text.h"

#define NESTING_MAXIMUM 200
#define FORM_BYTES_MAXIMUM ((size_t)16 * 1024 * 1024)
#define CRC_EMPTY UINT64_C(0xc15d213aa4d7a795)

struct writer {
	struct buffer *out;
	const char *problem; /* the first problem found; NULL: none */
	int depth;
};

static void schema_form(struct writer *w, const json_t *schema, const char *namespace);

static void canonical_refuse(struct writer *w, const char *problem)
{
	if (!w->problem)
		w->problem = problem;
}

static void canonical_add_quoted(struct writer *w, const char *text)
{
	buffer_add_byte(w->out, '"');
	text_add(w->out, text);
	buffer_add_byte(w->out, '"');
}

static void name_form(struct writer *w, const char *name, const char *namespace)
{
	struct full_name full;
	if (name_is_primitive(name))
		canonical_add_quoted(w, name);
	else if (name_resolve(&full, name, namespace))
		canonical_add_quoted(w, full.text);
	else
		canonical_refuse(w, "a name is too long");
}

static void list_form(struct writer *w, const json_t *list, const char *namespace,
	void (*form)(struct writer *, const json_t *, const char *))
{
	if (!json_is_array(list))
		canonical_refuse(w, "fields, symbols or branches are not a list");
	buffer_add_byte(w->out, '[');
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (i)
			buffer_add_byte(w->out, ',');
		form(w, json_array_get(list, i), namespace);
	}
	buffer_add_byte(w->out, ']');
}

static void field_form(struct writer *w, const json_t *field, const char *namespace)
{
	const char *name = json_string_value(json_object_get(field, "name"));
	if (!name)
		canonical_refuse(w, "a field has no name");
	text_add(w->out, "{\"name\":");
	canonical_add_quoted(w, name ? name : "");
	text_add(w->out, ",\"type\":");
	schema_form(w, json_object_get(field, "type"), namespace);
	buffer_add_byte(w->out, '}');
}

static void symbol_form(struct writer *w, const json_t *symbol, const char *namespace)
{
	(void)namespace;
	if (!json_is_string(symbol))
		canonical_refuse(w, "a symbol is not a string");
	else
		canonical_add_quoted(w, json_string_value(symbol));
}

/* Writes the size of a fixed type. The specification allows quotes around it. */
static void size_form(struct writer *w, const json_t *size)
{
	const char *quoted = json_string_value(size);
	int64_t value = quoted ? strtoll(quoted, NULL, 10) : json_integer_value(size);
	char text[32];
	if (value <= 0)
		canonical_refuse(w, "a fixed type has no size");
	snprintf(text, sizeof(text), "%" PRId64, value);
	text_add(w->out, text);
}

static void named_form(struct writer *w, const json_t *schema, const char *kind,
	const char *namespace)
{
	struct full_name full;
	if (!name_define(&full, schema, namespace)) {
		canonical_refuse(w, "a named type has no name, or one that is too long");
		return;
	}
	text_add(w->out, "{\"name\":");
	canonical_add_quoted(w, full.text);
	text_add(w->out, ",\"type\":");
	canonical_add_quoted(w, kind);
	if (strcmp(kind, "enum") == 0) {
		text_add(w->out, ",\"symbols\":");
		list_form(w, json_object_get(schema, "symbols"), full.namespace, symbol_form);
	} else if (strcmp(kind, "fixed") == 0) {
		text_add(w->out, ",\"size\":");
		size_form(w, json_object_get(schema, "size"));
	} else {
		text_add(w->out, ",\"fields\":");
		list_form(w, json_object_get(schema, "fields"), full.namespace, field_form);
	}
	buffer_add_byte(w->out, '}');
}

static void items_form(struct writer *w, const json_t *schema, const char *kind, const char *items,
	const char *namespace)
{
	text_add(w->out, "{\"type\":");
	canonical_add_quoted(w, kind);
	buffer_add_byte(w->out, ',');
	canonical_add_quoted(w, items);
	buffer_add_byte(w->out, ':');
	schema_form(w, json_object_get(schema, items), namespace);
	buffer_add_byte(w->out, '}');
}

static void object_form(struct writer *w, const json_t *schema, const char *namespace)
{
	static const char *const named[] = { "record", "error", "enum", "fixed" };
	const json_t *type = json_object_get(schema, "type");
	const char *kind = json_string_value(type);
	if (kind && strcmp(kind, "array") == 0) {
		items_form(w, schema, kind, "items", namespace);
		return;
	}
	if (kind && strcmp(kind, "map") == 0) {
		items_form(w, schema, kind, "values", namespace);
		return;
	}
	for (size_t i = 0; kind && i < sizeof(named) / sizeof(*named); i++) {
		if (strcmp(kind, named[i]) == 0) {
			named_form(w, schema, kind, namespace);
			return;
		}
	}
	schema_form(w, type, namespace); /* a logical type, or needless braces */
}

static void schema_form(struct writer *w, const json_t *schema, const char *namespace)
{
	if (w->depth >= NESTING_MAXIMUM)
		canonical_refuse(w, "the schema is nested too deeply");
	if (w->problem)
		return;
	w->depth++;
	if (json_is_string(schema))
		name_form(w, json_string_value(schema), namespace);
	else if (json_is_array(schema))
		list_form(w, schema, namespace, schema_form);
	else if (json_is_object(schema))
		object_form(w, schema, namespace);
	else
		canonical_refuse(w, "a type is missing or is not a name, an object or a union");
	w->depth--;
}

bool canonical_form(struct buffer *out, const char *json, size_t size, char *error,
	size_t error_size)
{
	json_error_t problem;
	json_t *schema = json_loadb(json, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
	if (!schema) {
		snprintf(error, error_size, "not JSON, line %d: %s", problem.line, problem.text);
		return false;
	}
	struct writer writer = { .out = out };
	schema_form(&writer, schema, "");
	json_decref(schema);
	if (out->failed)
		canonical_refuse(&writer, "the schema is too large");
	if (writer.problem)
		snprintf(error, error_size, "%s", writer.problem);
	return !writer.problem;
}

uint64_t canonical_crc64(const void *bytes, size_t size)
{
	const uint8_t *byte = bytes;
	uint64_t crc = CRC_EMPTY;
	for (size_t i = 0; i < size; i++) {
		crc ^= byte[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (CRC_EMPTY & -(crc & 1));
	}
	return crc;
}

bool canonical_fingerprint(uint64_t *fingerprint, const char *json, size_t size, char *error,
	size_t error_size)
{
	struct buffer form = buffer_empty(FORM_BYTES_MAXIMUM);
	bool ok = canonical_form(&form, json, size, error, error_size);
	if (ok)
		*fingerprint = canonical_crc64(form.data, form.size);
	buffer_free(&form);
	return ok;
}
