/*
 * framing.h - the header before a datum in a message, which names the schema that wrote the datum
 *
 * Each framing is a file with one struct framing_format (framing_format.h) and a row in the table
 * in framing.c. The callers use only the functions below, and catalog_find_framed() to get the
 * schema, so a new framing needs no change in them. If it does not name schemas by fingerprint,
 * the catalog also needs to find schemas by its identity.
 *
 * Threads: pure functions.
 */
#ifndef SCHEMAS_AVRO_FRAMING_H
#define SCHEMAS_AVRO_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schemas/base/buffer.h"

#define FRAMING_SINGLE_OBJECT_SIZE 10
#define FRAMING_REGISTRY_SIZE 5

enum framing_kind {
	FRAMING_UNKNOWN, /* no framing recognises the message */
	FRAMING_SINGLE_OBJECT,
	FRAMING_REGISTRY,
};

struct framing {
	enum framing_kind kind;
	uint64_t fingerprint; /* SINGLE_OBJECT: of the schema */
	uint32_t registry_id; /* REGISTRY: of the schema */
	const uint8_t *datum; /* within the message; NULL if UNKNOWN */
	size_t datum_size;
};

/* Recognises the framing of a message and reads its header. */
struct framing framing_parse(const void *message, size_t size);

/* Does this worker accept messages with this framing? It recognises others to report them. */
bool framing_accepted(const struct framing *framing);

/* Appends the header that a message with this framing and schema begins with. UNKNOWN: nothing. */
void framing_write_header(struct buffer *out, const struct framing *framing);

/* Appends the header of a single-object message. The caller appends the datum. */
void framing_write(struct buffer *out, uint64_t fingerprint);

#endif
