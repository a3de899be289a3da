#include "db/migrate/ddl_sha256.h"

#include <string.h>

/* FIPS 180-4, 4.2.2 */
static const uint32_t round_constants[64] = {
	0x428a2f98,
	0x71374491,
	0xb5c0fbcf,
	0xe9b5dba5,
	0x3956c25b,
	0x59f111f1,
	0x923f82a4,
	0xab1c5ed5,
	0xd807aa98,
	0x12835b01,
	0x243185be,
	0x550c7dc3,
	0x72be5d74,
	0x80deb1fe,
	0x9bdc06a7,
	0xc19bf174,
	0xe49b69c1,
	0xefbe4786,
	0x0fc19dc6,
	0x240ca1cc,
	0x2de92c6f,
	0x4a7484aa,
	0x5cb0a9dc,
	0x76f988da,
	0x983e5152,
	0xa831c66d,
	0xb00327c8,
	0xbf597fc7,
	0xc6e00bf3,
	0xd5a79147,
	0x06ca6351,
	0x14292967,
	0x27b70a85,
	0x2e1b2138,
	0x4d2c6dfc,
	0x53380d13,
	0x650a7354,
	0x766a0abb,
	0x81c2c92e,
	0x92722c85,
	0xa2bfe8a1,
	0xa81a664b,
	0xc24b8b70,
	0xc76c51a3,
	0xd192e819,
	0xd6990624,
	0xf40e3585,
	0x106aa070,
	0x19a4c116,
	0x1e376c08,
	0x2748774c,
	0x34b0bcb5,
	0x391c0cb3,
	0x4ed8aa4a,
	0x5b9cca4f,
	0x682e6ff3,
	0x748f82ee,
	0x78a5636f,
	0x84c87814,
	0x8cc70208,
	0x90befffa,
	0xa4506ceb,
	0xbef9a3f7,
	0xc67178f2,
};

static uint32_t ddl_sha256_rotate(uint32_t x, int by)
{
	return x >> by | x << (32 - by);
}

static uint32_t ddl_sha256_load(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
		bytes[3];
}

static void ddl_sha256_expand(const uint8_t *block, uint32_t w[64])
{
	for (int i = 0; i < 16; i++)
		w[i] = ddl_sha256_load(block + 4 * i);
	for (int i = 16; i < 64; i++) {
		uint32_t s0 = ddl_sha256_rotate(w[i - 15], 7) ^ ddl_sha256_rotate(w[i - 15], 18) ^
			w[i - 15] >> 3;
		uint32_t s1 = ddl_sha256_rotate(w[i - 2], 17) ^ ddl_sha256_rotate(w[i - 2], 19) ^
			w[i - 2] >> 10;
		w[i] = w[i - 16] + s0 + w[i - 7] + s1;
	}
}

static void ddl_sha256_compress(uint32_t state[8], const uint8_t *block)
{
	uint32_t w[64], s[8];

	ddl_sha256_expand(block, w);
	memcpy(s, state, sizeof s);
	for (int i = 0; i < 64; i++) {
		uint32_t s1 = ddl_sha256_rotate(s[4], 6) ^ ddl_sha256_rotate(s[4], 11) ^
			ddl_sha256_rotate(s[4], 25);
		uint32_t choose = (s[4] & s[5]) ^ (~s[4] & s[6]);
		uint32_t t1 = s[7] + s1 + choose + round_constants[i] + w[i];
		uint32_t s0 = ddl_sha256_rotate(s[0], 2) ^ ddl_sha256_rotate(s[0], 13) ^
			ddl_sha256_rotate(s[0], 22);
		uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);

		memmove(s + 1, s, 7 * sizeof *s);
		s[4] += t1;
		s[0] = t1 + s0 + majority;
	}
	for (int i = 0; i < 8; i++)
		state[i] += s[i];
}

void ddl_sha256(const void *bytes, size_t len, uint8_t digest[32])
{
	uint32_t state[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
		0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	const uint8_t *next = bytes;
	size_t left = len;

	for (; left >= 64; left -= 64, next += 64)
		ddl_sha256_compress(state, next);
	uint8_t tail[128] = { 0 };
	size_t size = left < 56 ? 64 : 128;
	if (left)
		memcpy(tail, next, left);
	tail[left] = 0x80;
	for (int i = 0; i < 8; i++)
		tail[size - 1 - (size_t)i] = (uint8_t)((uint64_t)len * 8 >> 8 * i);
	ddl_sha256_compress(state, tail);
	if (size == 128)
		ddl_sha256_compress(state, tail + 64);
	for (int i = 0; i < 32; i++)
		digest[i] = (uint8_t)(state[i / 4] >> (24 - i % 4 * 8));
}
