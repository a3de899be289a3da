/*
 * base64.h - writes and reads base64 (RFC 4648, section 4, with padding)
 *
 * Threads: pure functions.
 */
#ifndef SCHEMAS_BASE_BASE64_H
#define SCHEMAS_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schemas/base/buffer.h"

/* Appends the bytes as base64. */
void base64_write(struct buffer *out, const void *bytes, size_t size);

/* Decodes into a new block, which the caller frees. Returns false and allocates nothing if the text
 * is not base64. */
bool base64_read(const char *text, size_t len, uint8_t **bytes, size_t *size)
	__attribute__((warn_unused_result));

#endif
