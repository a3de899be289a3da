/*
 * siphash.h - a hash that nobody outside of the process can predict
 *
 * Hash tables over keys from clients use it. With a hash that is known, a client could choose keys
 * that all fall into one slot, and a lookup would take as long as the table is large.
 *
 * Any thread. Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (SipHash-1-3).
 */
#ifndef SCHEMAS_BASE_SIPHASH_H
#define SCHEMAS_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_seed {
	uint64_t first, second;
};

/* The random seed of this process: always the same one. Read it once for each table. */
struct siphash_seed siphash_seed(void);

uint64_t siphash(struct siphash_seed seed, const void *bytes, size_t size);

#endif
