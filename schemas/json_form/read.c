/* read.c - reads JSON of people as Avro data, strictly */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/avro/encode.h"
#include "schemas/avro/type_path.h"
#include "schemas/base/alloc.h"
#include "schemas/base/arena.h"
#include "schemas/base/base64.h"
#include "schemas/base/iso_time.h"
#include "schemas/base/nearest.h"
#include "schemas/json/check.h"
#include "schemas/json/scan.h"
#include "schemas/json_form/json_form.h"

/* Beyond it, a double does not hold every whole number. */
#define WHOLE_MAX 9007199254740992.0
#define DATE "2026-01-31"

struct form_reader {
	struct type_path path; /* the current field, for errors */
	const struct json_form_inner *inner;
	struct buffer *out;
	struct arena *arena; /* the texts of strings; freed at the end */
	struct decode_error *error;
};

static bool form_read_value(struct form_reader *reader, const struct type *type, struct json value);

static bool form_read_wrong(struct form_reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool form_read_wrong(struct form_reader *reader, const char *format, ...)
{
	struct decode_error *error = reader->error;
	char place[160];
	va_list args;
	int used;

	error->code = "REQUEST_MISFIT";
	type_path_text(&reader->path, place, sizeof(place));
	used = snprintf(error->message, sizeof(error->message), "%s%s", place, *place ? " " : "");
	va_start(args, format);
	vsnprintf(error->message + used, sizeof(error->message) - (size_t)used, format, args);
	va_end(args);
	return false;
}

static bool form_read_not_a(struct form_reader *reader, struct json value, const char *wanted)
{
	static const char *const names[] = {
		[JSON_ABSENT] = "missing",
		[JSON_OBJECT_KIND] = "an object",
		[JSON_ARRAY_KIND] = "an array",
		[JSON_STRING_KIND] = "a text",
		[JSON_NUMBER_KIND] = "a number",
		[JSON_TRUE_KIND] = "true or false",
		[JSON_FALSE_KIND] = "true or false",
		[JSON_NULL_KIND] = "null",
	};

	return form_read_wrong(reader, "is %s, it must be %s", names[json_kind(value)], wanted);
}

/* Appends a datum of a primitive type, without the branch of a union. */
static bool form_put(struct form_reader *reader, enum type_kind kind, struct datum datum)
{
	struct decode_error *error = reader->error;
	struct type type = { .kind = kind };

	if (encode(reader->out, &type, &datum, error->message, sizeof(error->message)) == ENCODE_OK)
		return true;
	error->code = "LENGTH_BEYOND_LIMIT";
	snprintf(error->message, sizeof(error->message),
		"the request takes more than %zu bytes in Avro's encoding", reader->out->maximum);
	return false;
}

static double form_read_double(struct form_reader *reader, struct json value)
{
	/* strtod needs a NUL. The copy is in the arena because a number may have millions of digits. */
	struct arena_mark mark = arena_mark(reader->arena);
	double real = strtod(arena_copy(reader->arena, value.text, value.len), NULL);

	arena_rewind(reader->arena, mark);
	return real;
}

/* Accepts an integer, or a number with a fraction or an exponent and an integral value. */
static bool form_read_whole(struct form_reader *reader, struct json value, int64_t *number)
{
	char digits[32];

	if (json_kind(value) != JSON_NUMBER_KIND)
		return form_read_not_a(reader, value, "a whole number");
	if (value.len < sizeof(digits)) {
		char *end;
		memcpy(digits, value.text, value.len);
		digits[value.len] = '\0';
		errno = 0;
		*number = strtoll(digits, &end, 10);
		if (!*end && !errno)
			return true;
	}
	double real = form_read_double(reader, value);
	if (real != trunc(real) || fabs(real) > WHOLE_MAX)
		return form_read_wrong(reader, "is not a whole number of 64 bits");
	*number = (int64_t)real;
	return true;
}

static bool form_read_int(struct form_reader *reader, struct json value)
{
	int64_t number;

	if (!form_read_whole(reader, value, &number))
		return false;
	if (number < INT32_MIN || number > INT32_MAX)
		return form_read_wrong(reader, "is out of range: it must fit into 32 bits");
	return form_put(reader, TYPE_INT, datum_integer(number));
}

/* A date without time means midnight UTC, as in JavaScript. */
static bool form_read_time(struct form_reader *reader, struct json value)
{
	struct datum text = json_unquote(reader->arena, value);
	char whole[64];
	int64_t ms;
	bool date = text.size == strlen(DATE);

	snprintf(whole, sizeof(whole), "%.*s%s", (int)text.size, text.text,
		date ? "T00:00:00Z" : "");
	if (text.size >= sizeof(whole) || !iso_time_read(whole, strlen(whole), &ms))
		return form_read_wrong(reader,
			"is not a time: write 2026-01-31T12:00:00.000Z, with a zone, or "
			"milliseconds since the epoch");
	return form_put(reader, TYPE_LONG, datum_integer(ms));
}

static bool form_read_long(struct form_reader *reader, const struct type *type, struct json value)
{
	int64_t number;

	if (type->logical == LOGICAL_TIMESTAMP_MILLIS && json_kind(value) == JSON_STRING_KIND)
		return form_read_time(reader, value);
	return form_read_whole(reader, value, &number) &&
		form_put(reader, TYPE_LONG, datum_integer(number));
}

static bool form_read_real(struct form_reader *reader, const struct type *type, struct json value)
{
	if (json_kind(value) != JSON_NUMBER_KIND)
		return form_read_not_a(reader, value, "a number");
	double real = form_read_double(reader, value);
	double most = type->kind == TYPE_FLOAT ? (double)FLT_MAX : DBL_MAX;
	if (!(fabs(real) <= most))
		return form_read_wrong(reader, "is out of the range of a %s",
			type_kind_name(type->kind));
	return form_put(reader, type->kind, datum_real(real));
}

static bool form_read_string(struct form_reader *reader, const struct type *type, struct json value)
{
	if (type->logical == LOGICAL_JSON)
		return form_put(reader, TYPE_STRING, json_datum(value));
	if (json_kind(value) != JSON_STRING_KIND)
		return form_read_not_a(reader, value, "a text");
	struct arena_mark mark = arena_mark(reader->arena);
	bool ok = form_put(reader, TYPE_STRING, json_unquote(reader->arena, value));
	arena_rewind(reader->arena, mark);
	return ok;
}

/* The bytes that an object stands for. */
static bool form_read_inner(struct form_reader *reader, struct json value)
{
	const struct json_form_inner *inner = reader->inner;
	struct buffer bytes = buffer_empty(reader->out->maximum);
	bool ok = inner->read(inner->arg, value, &bytes, reader->error) &&
		form_put(reader, TYPE_BYTES,
			datum_text((const char *)bytes.data, (uint32_t)bytes.size));

	buffer_free(&bytes);
	return ok;
}

static bool form_read_bytes(struct form_reader *reader, struct json value)
{
	uint8_t *bytes;
	size_t size;

	if (json_kind(value) == JSON_OBJECT_KIND && reader->inner && reader->inner->read)
		return form_read_inner(reader, value);
	if (json_kind(value) != JSON_STRING_KIND)
		return form_read_not_a(reader, value, "base64 text");
	struct datum text = json_unquote(reader->arena, value);
	if (!base64_read(text.text, text.size, &bytes, &size))
		return form_read_wrong(reader, "is not base64 with padding");
	bool ok = form_put(reader, TYPE_BYTES, datum_text((const char *)bytes, (uint32_t)size));
	free(bytes);
	return ok;
}

/* The number of items or members, which Avro writes before them. */
static bool form_read_count(struct form_reader *reader, struct json container, int64_t *count)
{
	struct json_iter iter = json_iter(container);
	struct json value;

	for (*count = 0; json_next(&iter, NULL, &value);)
		++*count;
	return *count == 0 || form_put(reader, TYPE_LONG, datum_integer(*count));
}

static bool form_read_items(struct form_reader *reader, const struct type *type, struct json value)
{
	bool map = type->kind == TYPE_MAP, ok;
	struct json_iter iter = json_iter(value);
	struct json key, item;
	int64_t count;

	if (json_kind(value) != (map ? JSON_OBJECT_KIND : JSON_ARRAY_KIND))
		return form_read_not_a(reader, value, map ? "an object" : "an array");
	type_path_enter(&reader->path, type);
	ok = form_read_count(reader, value, &count);
	for (size_t i = 0; ok && json_next(&iter, &key, &item); i++) {
		type_path_index(&reader->path, i);
		ok = (!map ||
			     form_read_string(reader, &(struct type){ .kind = TYPE_STRING },
				     key)) &&
			form_read_value(reader, type->item, item);
	}
	if (!ok)
		return false;
	type_path_leave(&reader->path);
	return form_put(reader, TYPE_LONG, datum_integer(0));
}

static bool form_read_unknown(struct form_reader *reader, const struct type *type, const char *name)
{
	struct nearest nearest = { .wanted = name };

	for (size_t i = 0; i < type->field_count; i++)
		nearest_offer(&nearest, type->fields[i].name);
	return form_read_wrong(reader, "has no property \"%.64s\"%s%s%s", name,
		nearest.found ? "; did you mean \"" : "", nearest.found ? nearest.found : "",
		nearest.found ? "\"?" : "");
}

/* Finds the value of each field; of several the last one counts. */
static bool form_read_members(struct form_reader *reader, const struct type *type,
	struct json object, struct json *values)
{
	struct json_iter iter = json_iter(object);
	struct json key, value;

	while (json_next(&iter, &key, &value)) {
		struct arena_mark mark = arena_mark(reader->arena);
		struct datum name = json_unquote(reader->arena, key);
		int index = type_field_index(type, name.text, name.size);
		if (index < 0)
			return form_read_unknown(reader, type,
				arena_copy(reader->arena, name.text, name.size));
		values[index] = value;
		arena_rewind(reader->arena, mark);
	}
	return true;
}

static bool form_read_field(struct form_reader *reader, const struct type_field *field,
	struct json value)
{
	struct decode_error *error = reader->error;

	if (value.text)
		return form_read_value(reader, field->type, value);
	if (!field->has_default)
		return form_read_wrong(reader, "is missing");
	if (encode(reader->out, field->type, &field->default_value, error->message,
		    sizeof(error->message)) == ENCODE_OK)
		return true;
	return form_put(reader, TYPE_NULL, datum_null()); /* the buffer is full: it says so */
}

static bool form_read_record(struct form_reader *reader, const struct type *type, struct json value)
{
	struct json *values;
	bool ok;

	if (json_kind(value) != JSON_OBJECT_KIND)
		return form_read_not_a(reader, value, "an object");
	values = alloc_zero(type->field_count + 1, sizeof(*values));
	ok = form_read_members(reader, type, value, values);
	if (ok)
		type_path_enter(&reader->path, type);
	for (size_t i = 0; ok && i < type->field_count; i++) {
		type_path_index(&reader->path, i);
		ok = form_read_field(reader, &type->fields[i], values[i]);
	}
	if (ok)
		type_path_leave(&reader->path);
	free(values);
	return ok;
}

static bool form_read_plain(struct form_reader *reader, const struct type *type, struct json value)
{
	enum json_kind kind = json_kind(value);

	switch (type->kind) {
	case TYPE_NULL:
		return kind == JSON_NULL_KIND || form_read_not_a(reader, value, "null");
	case TYPE_BOOLEAN:
		if (kind != JSON_TRUE_KIND && kind != JSON_FALSE_KIND)
			return form_read_not_a(reader, value, "true or false");
		return form_put(reader, TYPE_BOOLEAN, datum_boolean(kind == JSON_TRUE_KIND));
	case TYPE_INT:
		return form_read_int(reader, value);
	case TYPE_LONG:
		return form_read_long(reader, type, value);
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
		return form_read_real(reader, type, value);
	case TYPE_BYTES:
		return form_read_bytes(reader, value);
	case TYPE_STRING:
		return form_read_string(reader, type, value);
	case TYPE_RECORD:
		return form_read_record(reader, type, value);
	case TYPE_ARRAY:
	case TYPE_MAP:
		return form_read_items(reader, type, value);
	}
	abort();
}

static bool form_read_value(struct form_reader *reader, const struct type *type, struct json value)
{
	bool null = type->nullable && json_kind(value) == JSON_NULL_KIND;

	if (!type->nullable)
		return form_read_plain(reader, type, value);
	return form_put(reader, TYPE_LONG,
		       datum_integer(null ? type->null_branch : 1 - type->null_branch)) &&
		(null || form_read_plain(reader, type, value));
}

bool json_form_read_value(const struct type *type, struct json value,
	const struct json_form_inner *inner, struct buffer *out, struct decode_error *error)
{
	struct form_reader reader = {
		.inner = inner,
		.out = out,
		.arena = arena_new(0),
		.error = error,
	};
	bool ok = form_read_value(&reader, type, value);

	arena_free(reader.arena);
	return ok;
}

/* Says what json_check() found. */
static bool form_read_bad(const struct json_check *check, size_t depth, struct decode_error *error)
{
	switch (check->verdict) {
	case JSON_VALID:
		return true;
	case JSON_TOO_DEEP:
		error->code = "DEPTH_BEYOND_LIMIT";
		snprintf(error->message, sizeof(error->message),
			"the JSON is nested more than %zu levels deep", depth);
		return false;
	case JSON_BAD_UTF8:
		error->code = "BAD_UTF8";
		snprintf(error->message, sizeof(error->message),
			"the JSON has invalid UTF-8 at byte %zu", check->at);
		return false;
	case JSON_BAD:
		break;
	}
	error->code = "BAD_JSON";
	snprintf(error->message, sizeof(error->message), "the value is not valid JSON at byte %zu",
		check->at);
	return false;
}

bool json_form_read(const struct type *type, const char *text, size_t size,
	const struct decode_limits *limits, const struct json_form_inner *inner, struct buffer *out,
	struct decode_error *error)
{
	/* decode() limits each json field more strictly. */
	size_t depth = limits->json_depth + TYPE_DEPTH_MAXIMUM;
	struct json_check check = json_check(text ? text : "", size, depth);
	if (!form_read_bad(&check, depth, error))
		return false;
	const char *begin = json_scan_blanks(text, text + size);
	struct json value = { begin, (size_t)(text + size - begin) };
	return json_form_read_value(type, value, inner, out, error);
}
