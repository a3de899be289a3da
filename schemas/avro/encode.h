/*
 * encode.h - a datum into bytes of Avro's binary encoding
 *
 * Text and json are written as they are: what comes from PostgreSQL is valid. A datum that does
 * not fit its type is a defect of the handler that made it.
 *
 * Source: Apache Avro 1.11 specification, "Binary Encoding". Threads: any; nothing is shared.
 */
#ifndef SCHEMAS_AVRO_ENCODE_H
#define SCHEMAS_AVRO_ENCODE_H

#include <stddef.h>

#include "schemas/avro/type.h"
#include "schemas/base/buffer.h"
#include "schemas/base/datum.h"

enum encode_verdict {
	ENCODE_OK,
	ENCODE_MISFIT,    /* the datum is none of the type: `error` names the field */
	ENCODE_TOO_LARGE, /* beyond the buffer's maximum */
};

/* Appends the datum. Unless it is ENCODE_OK, the buffer has the size it had before (and has
 * failed if it was too large), and `error` has a message. */
enum encode_verdict encode(struct buffer *out, const struct type *type, const struct datum *datum,
	char *error, size_t error_size) __attribute__((warn_unused_result));

#endif
