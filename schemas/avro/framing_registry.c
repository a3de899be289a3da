/*
 * framing_registry.c - the wire format of Confluent's schema registry: 00, then the schema's id
 *
 * Source: Confluent, "Wire format". The id is big-endian. This worker does not query a registry,
 * so it cannot get the schema of an id and accepts no such message.
 */
#include "schemas/avro/framing_format.h"

#define MARK 0x00
#define MARK_SIZE 1

static bool registry_recognises(const uint8_t *header)
{
	return header[0] == MARK;
}

static void registry_read(const uint8_t *header, struct framing *framing)
{
	for (int i = 0; i < 4; i++)
		framing->registry_id = framing->registry_id << 8 | header[MARK_SIZE + i];
}

static void registry_write(uint8_t *header, const struct framing *framing)
{
	header[0] = MARK;
	for (int i = 0; i < 4; i++)
		header[MARK_SIZE + i] = (uint8_t)(framing->registry_id >> (24 - 8 * i));
}

const struct framing_format framing_registry = {
	.header_size = FRAMING_REGISTRY_SIZE,
	.accepted = false,
	.recognises = registry_recognises,
	.read = registry_read,
	.write = registry_write,
};
