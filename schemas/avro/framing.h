/*
 * framing.h - what stands before a datum in a message and says by which schema it was written
 *
 * Sources: Apache Avro 1.11 specification, "Single-object encoding" (C3 01, then the schema's
 * CRC-64-AVRO, little-endian); Confluent's wire format (byte 0, then the schema's id in the
 * registry, big-endian). Threads: pure functions.
 */
#ifndef SCHEMAS_AVRO_FRAMING_H
#define SCHEMAS_AVRO_FRAMING_H

#include <stddef.h>
#include <stdint.h>

#include "schemas/base/buffer.h"

#define FRAMING_SINGLE_OBJECT_SIZE 10
#define FRAMING_REGISTRY_SIZE 5

enum framing_kind {
	FRAMING_UNKNOWN, /* neither: no schema can be told */
	FRAMING_SINGLE_OBJECT,
	FRAMING_REGISTRY,
};

struct framing {
	enum framing_kind kind;
	uint64_t fingerprint; /* of a SINGLE_OBJECT */
	uint32_t registry_id; /* of a REGISTRY */
	const uint8_t *datum; /* within the message; NULL if UNKNOWN */
	size_t datum_size;
};

struct framing framing_parse(const void *message, size_t size);

/* Appends the header of the single-object encoding; the datum follows. */
void framing_write(struct buffer *out, uint64_t fingerprint);

#endif
