/*
 * canonical.h - a schema's Parsing Canonical Form and its fingerprint
 *
 * Source: Apache Avro 1.11 specification, "Parsing Canonical Form for Schemas" and "Schema
 * Fingerprints". Any Avro schema is taken, also of types that type.h refuses.
 * Threads: pure functions.
 */
#ifndef SCHEMAS_AVRO_CANONICAL_H
#define SCHEMAS_AVRO_CANONICAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schemas/base/buffer.h"

/* Appends the canonical form of the schema `json`. False if it is no schema; `error` says why. */
bool canonical_form(struct buffer *out, const char *json, size_t size, char *error,
	size_t error_size) __attribute__((warn_unused_result));

/* CRC-64-AVRO of some bytes. */
uint64_t canonical_crc64(const void *bytes, size_t size);

/* The fingerprint of a schema: the CRC-64-AVRO of its canonical form. Same errors. */
bool canonical_fingerprint(uint64_t *fingerprint, const char *json, size_t size, char *error,
	size_t error_size) __attribute__((warn_unused_result));

#endif
