/* siphash.c - SipHash-1-3, and the seed that the kernel gave the process */
#include "schemas/base/siphash.h"

#include <endian.h>
#include <string.h>
#include <sys/auxv.h>

struct siphash_state {
	uint64_t a, b, c, d;
};

struct siphash_seed siphash_seed(void)
{
	struct siphash_seed seed = { 0 };
	/* The kernel puts 16 random bytes into each new process (getauxval(3)). */
	const void *random = (const void *)getauxval(AT_RANDOM);
	if (random)
		memcpy(&seed, random, sizeof(seed));
	return seed;
}

static uint64_t siphash_rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static void siphash_round(struct siphash_state *s)
{
	s->a += s->b;
	s->c += s->d;
	s->b = siphash_rotate(s->b, 13) ^ s->a;
	s->d = siphash_rotate(s->d, 16) ^ s->c;
	s->a = siphash_rotate(s->a, 32);
	s->c += s->b;
	s->a += s->d;
	s->b = siphash_rotate(s->b, 17) ^ s->c;
	s->d = siphash_rotate(s->d, 21) ^ s->a;
	s->c = siphash_rotate(s->c, 32);
}

static void siphash_take(struct siphash_state *s, uint64_t word)
{
	s->d ^= word;
	siphash_round(s);
	s->a ^= word;
}

uint64_t siphash(struct siphash_seed seed, const void *bytes, size_t size)
{
	struct siphash_state s = {
		.a = seed.first ^ UINT64_C(0x736f6d6570736575),
		.b = seed.second ^ UINT64_C(0x646f72616e646f6d),
		.c = seed.first ^ UINT64_C(0x6c7967656e657261),
		.d = seed.second ^ UINT64_C(0x7465646279746573),
	};
	const uint8_t *at = bytes;
	uint64_t word;
	size_t left = size;
	for (; left >= sizeof(word); left -= sizeof(word), at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		siphash_take(&s, le64toh(word));
	}
	word = 0;
	if (left)
		memcpy(&word, at, left);
	siphash_take(&s, le64toh(word) | (uint64_t)size << 56);
	s.c ^= 0xff;
	for (int i = 0; i < 3; i++)
		siphash_round(&s);
	return s.a ^ s.b ^ s.c ^ s.d;
}
