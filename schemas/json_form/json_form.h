/*
 * json_form.h - data of an Avro type as JSON for people, and back
 *
 * It differs from Avro's own JSON encoding: a union's value has no type name, bytes are base64, a
 * timestamp-millis is ISO 8601 text (or milliseconds, when read), and a json field is plain JSON. Fields
 * that are missing get their defaults.
 *
 * Both functions recurse as deep as the type is nested (TYPE_DEPTH_MAXIMUM). Threads: no shared state.
 */
#ifndef SCHEMAS_JSON_FORM_JSON_FORM_H
#define SCHEMAS_JSON_FORM_JSON_FORM_H

#include "schemas/avro/decode.h"
#include "schemas/avro/type.h"
#include "schemas/base/buffer.h"
#include "schemas/json/json.h"

/* What bytes hold, if it is more than bytes: a message in a message. Each may be NULL. */
struct json_form_inner {
	/* Appends the bytes that an object stands for. */
	bool (*read)(void *arg, struct json object, struct buffer *out, struct decode_error *error);
	/* Adds the bytes as JSON; false: they are base64. */
	bool (*write)(void *arg, const struct datum *bytes, struct json_text *out);
	void *arg;
};

/* Appends the Avro datum that the JSON text stands for. False if the text is not JSON, does not fit the
 * type or exceeds the limits or the buffer's maximum: `error` then has the code (BAD_JSON, BAD_UTF8,
 * DEPTH_BEYOND_LIMIT, LENGTH_BEYOND_LIMIT, REQUEST_MISFIT) and a message with the place. decode() still has
 * to check the datum. `inner` may be NULL. */
bool json_form_read(const struct type *type, const char *text, size_t size,
	const struct decode_limits *limits, const struct json_form_inner *inner, struct buffer *out,
	struct decode_error *error) __attribute__((warn_unused_result));
/* The same for a value of a text that was checked. */
bool json_form_read_value(const struct type *type, struct json value,
	const struct json_form_inner *inner, struct buffer *out, struct decode_error *error)
	__attribute__((warn_unused_result));

enum json_form {
	JSON_FORM_PEOPLE, /* all fields; infinities and NaN are texts */
	/* What JSON.stringify() prints for the reference's objects: null fields are left out, infinities and
	 * NaN are null. */
	JSON_FORM_STORED,
};

/* Adds a datum of the type. Returns DATUM_JSON_REPAIR if jsonb could not hold the text as it is, else 0.
 * `inner` may be NULL. */
unsigned json_form_write(struct json_text *out, const struct type *type, const struct datum *datum,
	enum json_form form, const struct json_form_inner *inner);

#endif
