/*
 * xxhash32.h - the hash XXH32 with seed 0
 *
 * The reference uses it in the names of its indexes on metadata fields. Not a cryptographic hash.
 *
 * Source: the xxHash specification, "XXH32 algorithm description". Threads: pure function.
 */
#ifndef SCHEMAS_BASE_XXHASH32_H
#define SCHEMAS_BASE_XXHASH32_H

#include <stddef.h>
#include <stdint.h>

uint32_t xxhash32(const void *bytes, size_t len);

#endif
