/*
 * framing_single_object.c - Avro's single-object encoding: C3 01, then the schema's fingerprint
 *
 * Source: Apache Avro 1.11 specification, "Single-object encoding". The fingerprint is the
 * schema's CRC-64-AVRO, little-endian.
 */
#include "schemas/avro/framing_format.h"

#define MARK_0 0xC3
#define MARK_1 0x01
#define MARK_SIZE 2

static bool single_object_recognises(const uint8_t *header)
{
	return header[0] == MARK_0 && header[1] == MARK_1;
}

static void single_object_read(const uint8_t *header, struct framing *framing)
{
	for (int i = 0; i < 8; i++)
		framing->fingerprint |= (uint64_t)header[MARK_SIZE + i] << (8 * i);
}

static void single_object_write(uint8_t *header, const struct framing *framing)
{
	header[0] = MARK_0;
	header[1] = MARK_1;
	for (int i = 0; i < 8; i++)
		header[MARK_SIZE + i] = (uint8_t)(framing->fingerprint >> (8 * i));
}

const struct framing_format framing_single_object = {
	.header_size = FRAMING_SINGLE_OBJECT_SIZE,
	.accepted = true,
	.recognises = single_object_recognises,
	.read = single_object_read,
	.write = single_object_write,
};
