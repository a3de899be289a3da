/*
 * utf8.c - checks and repairs UTF-8
 *
 * Most text is ASCII. The check skips ASCII in steps of 32 and then 8 bytes, and checks the rest
 * character by character.
 */
#include "schemas/base/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define HIGHS UINT64_C(0x8080808080808080)
#define ONES UINT64_C(0x0101010101010101)

static inline uint64_t word_at(const char *text)
{
	uint64_t word;
	memcpy(&word, text, sizeof(word));
	return word;
}

/* Sets a high bit if the word has a byte that is zero or above 127. If no byte is above 127,
 * subtracting one from each byte sets a high bit exactly if a byte is zero. */
static inline uint64_t utf8_odd_bytes(uint64_t word)
{
	return (word | (word - ONES)) & HIGHS;
}

static const char *skip_ascii(const char *at, const char *end)
{
	const char *start = at;
	while (end - at >= 32) {
		uint64_t odd = utf8_odd_bytes(word_at(at)) | utf8_odd_bytes(word_at(at + 8)) |
			utf8_odd_bytes(word_at(at + 16)) | utf8_odd_bytes(word_at(at + 24));
		if (odd)
			break;
		at += 32;
	}
	while (end - at >= 8 && !utf8_odd_bytes(word_at(at)))
		at += 8;
	if (end - at < 8 && end - start >= 8 && !utf8_odd_bytes(word_at(end - 8)))
		return end; /* the last word overlaps bytes that were checked before */
	while (at < end && *at > 0 && !(*at & 0x80))
		at++;
	return at;
}

static inline bool utf8_follows(unsigned char byte)
{
	return (byte & 0xC0) == 0x80;
}

size_t unicode_step(const char *text, const char *end)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t size = (size_t)(end - text);
	if (size < 1)
		return 0;
	if (c[0] < 0x80)
		return 1;
	if (size < 2 || c[0] < 0xC2 || !utf8_follows(c[1]))
		return 0;
	if (c[0] < 0xE0)
		return 2;
	if (size < 3 || !utf8_follows(c[2]))
		return 0;
	if (c[0] < 0xF0) /* E0: not overlong; ED: no surrogate */
		return (c[0] == 0xE0 && c[1] < 0xA0) || (c[0] == 0xED && c[1] > 0x9F) ? 0 : 3;
	if (size < 4 || !utf8_follows(c[3]) || c[0] > 0xF4)
		return 0;
	return (c[0] == 0xF0 && c[1] < 0x90) || (c[0] == 0xF4 && c[1] > 0x8F) ? 0 : 4;
}

enum unicode_verdict unicode_check(const char *text, size_t size)
{
	const char *end = text + size;
	bool nul = false;
	for (;;) {
		text = skip_ascii(text, end);
		if (text == end)
			return nul ? UNICODE_NUL : UNICODE_VALID;
		do { /* mostly, another such character follows */
			size_t step = unicode_step(text, end);
			if (!step)
				return UNICODE_BAD;
			nul |= *text == '\0';
			text += step;
		} while (text < end && (*text & 0x80));
	}
}

void unicode_clean(char *text)
{
	const char *end = text + strlen(text);
	while (text < end) {
		size_t size = unicode_step(text, end);
		if (size == 0)
			*text = '?';
		text += size ? size : 1;
	}
}
