/*
 * base64.c - writes and reads base64
 */
#include "schemas/base/base64.h"

#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_write(struct buffer *out, const void *bytes, size_t size)
{
	const uint8_t *in = bytes;

	for (size_t at = 0; at < size; at += 3) {
		size_t left = size - at;
		uint32_t group = (uint32_t)in[at] << 16 |
			(uint32_t)(left > 1 ? in[at + 1] : 0) << 8 | (left > 2 ? in[at + 2] : 0);
		char four[4] = { alphabet[group >> 18], alphabet[group >> 12 & 63],
			left > 1 ? alphabet[group >> 6 & 63] : '=',
			left > 2 ? alphabet[group & 63] : '=' };

		buffer_add(out, four, sizeof(four));
	}
}

static int base64_digit(char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

bool base64_read(const char *text, size_t len, uint8_t **bytes, size_t *size)
{
	size_t padding = len >= 2 && text[len - 1] == '=' ? 1 + (text[len - 2] == '=') : 0;
	uint32_t group = 0;
	uint8_t *out;

	if (len % 4)
		return false;
	out = alloc_zero(len / 4 * 3 + 1, 1);
	*size = len / 4 * 3 - padding;
	for (size_t i = 0; i < len; i++) {
		int value = i >= len - padding ? 0 : base64_digit(text[i]);

		if (value < 0) {
			free(out);
			return false;
		}
		group = group << 6 | (uint32_t)value;
		if (i % 4 == 3) {
			out[i / 4 * 3] = (uint8_t)(group >> 16);
			out[i / 4 * 3 + 1] = (uint8_t)(group >> 8);
			out[i / 4 * 3 + 2] = (uint8_t)group;
		}
	}
	*bytes = out;
	return true;
}
