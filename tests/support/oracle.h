/*
 * oracle.h - encodes and decodes a datum with avro-c, to test encode.c and decode.c
 *
 * It fills avro-c's generic values from datums and compares them. It gets the schema as JSON text,
 * so of the code under test it uses only the datum.
 */
#ifndef TESTS_ORACLE_H
#define TESTS_ORACLE_H

#include <stdbool.h>
#include <stddef.h>

#include "schemas/base/buffer.h"
#include "schemas/base/datum.h"

struct oracle;

/* NULL if avro-c rejects the schema. Free it with oracle_free. */
struct oracle *oracle_new(const char *schema);
void oracle_free(struct oracle *oracle);

/* Appends avro-c's encoding of the datum. */
bool oracle_encode(struct oracle *oracle, const struct datum *datum, struct buffer *out);

/* Does avro-c decode exactly these bytes to this datum? */
bool oracle_reads(struct oracle *oracle, const void *bytes, size_t size, const struct datum *datum);

#endif
