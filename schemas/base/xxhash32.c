/* xxhash32.c - the hash XXH32 with seed 0 */
#include "schemas/base/xxhash32.h"

#define PRIME1 0x9E3779B1U
#define PRIME2 0x85EBCA77U
#define PRIME3 0xC2B2AE3DU
#define PRIME4 0x27D4EB2FU
#define PRIME5 0x165667B1U
#define STRIPE 16

static uint32_t xxhash32_rotate(uint32_t x, int by)
{
	return x << by | x >> (32 - by);
}

static uint32_t xxhash32_little(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
		(uint32_t)at[3] << 24;
}

static uint32_t xxhash32_mix(uint32_t lane, const uint8_t *at)
{
	return xxhash32_rotate(lane + xxhash32_little(at) * PRIME2, 13) * PRIME1;
}

/* Hashes the whole stripes in four lanes and moves *at to the end of the stripes. */
static uint32_t xxhash32_stripes(const uint8_t **at, size_t len)
{
	uint32_t lanes[4] = { PRIME1 + PRIME2, PRIME2, 0, 0U - PRIME1 };
	for (; len >= STRIPE; len -= STRIPE, *at += STRIPE)
		for (int i = 0; i < 4; i++)
			lanes[i] = xxhash32_mix(lanes[i], *at + 4 * i);
	return xxhash32_rotate(lanes[0], 1) + xxhash32_rotate(lanes[1], 7) +
		xxhash32_rotate(lanes[2], 12) + xxhash32_rotate(lanes[3], 18);
}

uint32_t xxhash32(const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	const uint8_t *end = at + len;
	uint32_t hash = len >= STRIPE ? xxhash32_stripes(&at, len) : PRIME5;
	hash += (uint32_t)len;
	for (; end - at >= 4; at += 4)
		hash = xxhash32_rotate(hash + xxhash32_little(at) * PRIME3, 17) * PRIME4;
	for (; at < end; at++)
		hash = xxhash32_rotate(hash + *at * PRIME5, 11) * PRIME1;
	hash = (hash ^ hash >> 15) * PRIME2;
	hash = (hash ^ hash >> 13) * PRIME3;
	return hash ^ hash >> 16;
}
