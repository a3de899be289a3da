/*
 * xxhash32.h - XXH32 with seed 0, which names the reference's indexes on metadata fields
 *
 * Source: the xxHash specification, "XXH32 algorithm description". Not for secrets. Pure.
 */
#ifndef SCHEMAS_BASE_XXHASH32_H
#define SCHEMAS_BASE_XXHASH32_H

#include <stddef.h>
#include <stdint.h>

uint32_t xxhash32(const void *bytes, size_t len);

#endif
