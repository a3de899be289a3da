/* siphash.c - SipHash-1-3: a published value, and keys that collide under one seed only */
#include "schemas/base/siphash.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define KEYS 200
#define SLOTS 1024

/* The first value of the reference's list for SipHash-1-3 with the key 00 01 ... 0f. */
Test(siphash, gives_the_published_value)
{
	const struct siphash_seed seed = { UINT64_C(0x0706050403020100),
		UINT64_C(0x0f0e0d0c0b0a0908) };
	cr_expect_eq(siphash(seed, "", 0), UINT64_C(0xabac0158050fc4dc));
}

Test(siphash, the_seed_of_the_process_is_random_and_stays)
{
	struct siphash_seed one = siphash_seed(), two = siphash_seed();
	cr_expect_eq(one.first, two.first);
	cr_expect_eq(one.second, two.second);
	cr_expect_neq(one.first, 0);
	cr_expect_neq(one.second, 0);
}

static unsigned slot_of(struct siphash_seed seed, const char *key)
{
	return (unsigned)(siphash(seed, key, strlen(key)) % SLOTS);
}

/* Someone who knows one seed finds keys of one slot. Under another seed they are spread. */
Test(siphash, keys_that_collide_under_one_seed_do_not_under_another)
{
	const struct siphash_seed known = { 1, 2 };
	const struct siphash_seed other = siphash_seed();
	bool used[SLOTS] = { false };
	char key[32];
	size_t found = 0, spread = 0;
	for (unsigned i = 0; found < KEYS; i++) {
		snprintf(key, sizeof(key), "run-%u", i);
		if (slot_of(known, key) != 7)
			continue;
		found++;
		spread += !used[slot_of(other, key)];
		used[slot_of(other, key)] = true;
	}
	cr_expect_gt(spread, KEYS / 2);
}
