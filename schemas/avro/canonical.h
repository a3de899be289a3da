/*
 * canonical.h - computes the Parsing Canonical Form and the fingerprint of a schema
 *
 * Source: Apache Avro 1.11 specification, "Parsing Canonical Form for Schemas" and "Schema
 * Fingerprints". Accepts any Avro schema, also those that type_compile() rejects.
 * Threads: pure functions.
 */
#ifndef SCHEMAS_AVRO_CANONICAL_H
#define SCHEMAS_AVRO_CANONICAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schemas/base/buffer.h"

/* Appends the canonical form of the schema `json`. False if it is not a schema; `error` then has the
 * reason. */
bool canonical_form(struct buffer *out, const char *json, size_t size, char *error,
	size_t error_size) __attribute__((warn_unused_result));

/* Returns the CRC-64-AVRO of the bytes. */
uint64_t canonical_crc64(const void *bytes, size_t size);

/* Computes the fingerprint: the CRC-64-AVRO of the canonical form. Same errors. */
bool canonical_fingerprint(uint64_t *fingerprint, const char *json, size_t size, char *error,
	size_t error_size) __attribute__((warn_unused_result));

#endif
