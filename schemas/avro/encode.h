/*
 * encode.h - encodes a datum into Avro's binary encoding
 *
 * The encoder does not check texts and json: PostgreSQL returns only valid ones. A datum that does
 * not fit its type is a bug in the handler that built it.
 *
 * Source: Apache Avro 1.11 specification, "Binary Encoding". Threads: no shared state.
 */
#ifndef SCHEMAS_AVRO_ENCODE_H
#define SCHEMAS_AVRO_ENCODE_H

#include <stddef.h>

#include "schemas/avro/type.h"
#include "schemas/base/buffer.h"
#include "schemas/base/datum.h"

enum encode_verdict {
	ENCODE_OK,
	ENCODE_MISFIT,    /* the datum does not fit the type: `error` names the field */
	ENCODE_TOO_LARGE, /* the datum exceeds the buffer's maximum */
};

/* Appends the datum. If the result is not ENCODE_OK, the buffer has its old size and `error` has a
 * message. After ENCODE_TOO_LARGE, the buffer's `failed` is set. */
enum encode_verdict encode(struct buffer *out, const struct type *type, const struct datum *datum,
	char *error, size_t error_size) __attribute__((warn_unused_result));

#endif
