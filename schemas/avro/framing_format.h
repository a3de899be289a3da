/*
 * framing_format.h - what a framing provides: a row of the table in framing.c
 */
#ifndef SCHEMAS_AVRO_FRAMING_FORMAT_H
#define SCHEMAS_AVRO_FRAMING_FORMAT_H

#include "schemas/avro/framing.h"

struct framing_format {
	size_t header_size;
	bool accepted; /* see framing_accepted() */

	/* `header` has at least header_size bytes. */
	bool (*recognises)(const uint8_t *header);
	/* Sets the schema's identity in *framing. framing_parse() sets the other members. */
	void (*read)(const uint8_t *header, struct framing *framing);
	void (*write)(uint8_t *header, const struct framing *framing);
};

extern const struct framing_format framing_single_object;
extern const struct framing_format framing_registry;

#endif
