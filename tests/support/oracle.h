/*
 * oracle.h - what avro-c makes of a datum, to hold our own encoding and decoding against
 *
 * avro-c's generic values are filled from datums and compared with them; the schema is given as
 * JSON text, so nothing of ours but the datum has a part in it.
 */
#ifndef TESTS_ORACLE_H
#define TESTS_ORACLE_H

#include <stdbool.h>
#include <stddef.h>

#include "schemas/base/buffer.h"
#include "schemas/base/datum.h"

struct oracle;

/* NULL if avro-c refuses the schema. Free with oracle_free. */
struct oracle *oracle_new(const char *schema);
void oracle_free(struct oracle *oracle);

/* Appends avro-c's encoding of the datum. */
bool oracle_encode(struct oracle *oracle, const struct datum *datum, struct buffer *out);

/* Does avro-c read exactly these bytes as that datum? */
bool oracle_reads(struct oracle *oracle, const void *bytes, size_t size, const struct datum *datum);

#endif
