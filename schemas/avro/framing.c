/*
 * framing.c - what stands before a datum in a message and says by which schema it was written
 */
#include "schemas/avro/framing.h"

#define MARK_0 0xC3
#define MARK_1 0x01
#define REGISTRY_MARK 0x00

struct framing framing_parse(const void *message, size_t size)
{
	const uint8_t *byte = message;
	struct framing framing = { .kind = FRAMING_UNKNOWN };
	if (size >= FRAMING_SINGLE_OBJECT_SIZE && byte[0] == MARK_0 && byte[1] == MARK_1) {
		framing.kind = FRAMING_SINGLE_OBJECT;
		for (int i = 0; i < 8; i++)
			framing.fingerprint |= (uint64_t)byte[2 + i] << (8 * i);
		framing.datum = byte + FRAMING_SINGLE_OBJECT_SIZE;
		framing.datum_size = size - FRAMING_SINGLE_OBJECT_SIZE;
	} else if (size >= FRAMING_REGISTRY_SIZE && byte[0] == REGISTRY_MARK) {
		framing.kind = FRAMING_REGISTRY;
		for (int i = 0; i < 4; i++)
			framing.registry_id = framing.registry_id << 8 | byte[1 + i];
		framing.datum = byte + FRAMING_REGISTRY_SIZE;
		framing.datum_size = size - FRAMING_REGISTRY_SIZE;
	}
	return framing;
}

void framing_write(struct buffer *out, uint64_t fingerprint)
{
	uint8_t *header = buffer_extend(out, FRAMING_SINGLE_OBJECT_SIZE);
	if (!header)
		return;
	header[0] = MARK_0;
	header[1] = MARK_1;
	for (int i = 0; i < 8; i++)
		header[2 + i] = (uint8_t)(fingerprint >> (8 * i));
}
