/*
 * check.c - is this one strict JSON text?
 *
 * A machine of five states; containers are one bit each in a stack, so that no input can make
 * it recurse.
 */
#include "schemas/json/check.h"

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "schemas/base/utf8.h"

#define HIGHS UINT64_C(0x8080808080808080)
#define ONES UINT64_C(0x0101010101010101)

enum state {
	VALUE,
	VALUE_OR_END, /* behind [ */
	KEY,
	KEY_OR_END, /* behind { */
	AFTER,      /* behind a value */
};

struct scan {
	const char *at;
	const char *end;
	size_t depth;
	size_t depth_limit;
	enum json_verdict verdict;
	bool repair;
	uint64_t objects[JSON_DEPTH_MAXIMUM / 64]; /* bit per open container: is it an object? */
};

static bool json_check_fail(struct scan *scan, enum json_verdict verdict)
{
	scan->verdict = verdict;
	return false;
}

static inline int json_check_peek(const struct scan *scan)
{
	return scan->at < scan->end ? (unsigned char)*scan->at : -1;
}

static inline void skip_space(struct scan *scan)
{
	while (scan->at < scan->end &&
		(*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t'))
		scan->at++;
}

/* A high bit where a byte of the word is zero. Bits above the lowest one may be wrong, as the
 * subtraction borrows upwards from there. */
static inline uint64_t zero_bytes(uint64_t word)
{
	return (word - ONES) & ~word & HIGHS;
}

/* A high bit, the lowest of them right, where a byte does not stand for itself in a string:
 * quote, backslash, control, not ASCII. */
static inline uint64_t json_check_odd_bytes(uint64_t word)
{
	return zero_bytes(word ^ (ONES * '"')) | zero_bytes(word ^ (ONES * '\\')) |
		((word - ONES * ' ') & ~word & HIGHS) | (word & HIGHS);
}

#ifdef __SSE2__
/* A bit for each of 16 bytes that does not stand for itself in a string. As signed numbers those
 * that are not ASCII are below the blank, too. */
static inline unsigned odd_bits(const char *at)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
	__m128i odd = _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(' ')),
		_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
			_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
	return (unsigned)_mm_movemask_epi8(odd);
}
#endif

/* Passes over what stands for itself in a string. */
static inline const char *skip_plain(const char *at, const char *end)
{
#ifdef __SSE2__
	while (end - at >= 16) {
		unsigned odd = odd_bits(at);
		if (odd)
			return at + __builtin_ctz(odd);
		at += 16;
	}
#endif
	while (end - at >= 8) {
		uint64_t bytes;
		memcpy(&bytes, at, sizeof(bytes));
		uint64_t odd = json_check_odd_bytes(bytes);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		if (odd)
			return at + __builtin_ctzll(odd) / 8;
#else
		if (odd)
			break;
#endif
		at += 8;
	}
	while (at < end && *at >= ' ' && *at != '"' && *at != '\\' && !(*at & 0x80))
		at++;
	return at;
}

/* The four hexadecimal digits of a \u escape, -1 if they aren't. */
static int32_t json_check_hex4(struct scan *scan)
{
	int32_t value = 0;
	for (int i = 0; i < 4; i++, scan->at++) {
		int c = json_check_peek(scan);
		if (c >= '0' && c <= '9')
			value = value * 16 + (c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value = value * 16 + ((c | 0x20) - 'a' + 10);
		else
			return -1;
	}
	return value;
}

/* Behind \u. A high surrogate takes the \u of its low one with it. */
static bool unicode_escape(struct scan *scan)
{
	int32_t unit = json_check_hex4(scan);
	if (unit < 0)
		return json_check_fail(scan, JSON_BAD);
	if (unit == 0 || (unit >= 0xDC00 && unit <= 0xDFFF))
		scan->repair = true;
	if (unit < 0xD800 || unit > 0xDBFF)
		return true;
	const char *behind = scan->at;
	if (scan->end - behind >= 6 && behind[0] == '\\' && behind[1] == 'u') {
		scan->at += 2;
		int32_t low = json_check_hex4(scan);
		if (low >= 0xDC00 && low <= 0xDFFF)
			return true;
		scan->at = behind; /* not its low half: looked at again for itself */
	}
	scan->repair = true;
	return true;
}

static bool json_check_escape(struct scan *scan)
{
	int c = json_check_peek(scan);
	if (c < 0 || !strchr("\"\\/bfnrtu", c) || c == 0)
		return json_check_fail(scan, JSON_BAD);
	scan->at++;
	return c != 'u' || unicode_escape(scan);
}

/* A string, from behind its opening quote. */
static bool json_check_string(struct scan *scan)
{
	for (;;) {
		scan->at = skip_plain(scan->at, scan->end);
		int c = json_check_peek(scan);
		if (c == '"') {
			scan->at++;
			return true;
		}
		if (c == '\\') {
			scan->at++;
			if (!json_check_escape(scan))
				return false;
		} else if (c >= 0x80) {
			size_t step = unicode_step(scan->at, scan->end);
			if (!step)
				return json_check_fail(scan, JSON_BAD_UTF8);
			scan->at += step;
		} else {
			return json_check_fail(scan, JSON_BAD);
		}
	}
}

static bool json_check_digits(struct scan *scan)
{
	const char *start = scan->at;
	while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
		scan->at++;
	return scan->at > start || json_check_fail(scan, JSON_BAD);
}

static bool json_check_number(struct scan *scan)
{
	if (json_check_peek(scan) == '-')
		scan->at++;
	if (json_check_peek(scan) == '0')
		scan->at++;
	else if (!json_check_digits(scan))
		return false;
	if (json_check_peek(scan) == '.') {
		scan->at++;
		if (!json_check_digits(scan))
			return false;
	}
	if (json_check_peek(scan) == 'e' || json_check_peek(scan) == 'E') {
		scan->at++;
		if (json_check_peek(scan) == '+' || json_check_peek(scan) == '-')
			scan->at++;
		return json_check_digits(scan);
	}
	return true;
}

static bool json_check_word(struct scan *scan, const char *expected, size_t size)
{
	if ((size_t)(scan->end - scan->at) < size || memcmp(scan->at, expected, size) != 0)
		return json_check_fail(scan, JSON_BAD);
	scan->at += size;
	return true;
}

static bool open_container(struct scan *scan, bool object)
{
	if (scan->depth >= scan->depth_limit)
		return json_check_fail(scan, JSON_TOO_DEEP);
	uint64_t bit = UINT64_C(1) << (scan->depth % 64);
	uint64_t *bits = &scan->objects[scan->depth / 64];
	*bits = object ? *bits | bit : *bits & ~bit;
	scan->depth++;
	scan->at++;
	return true;
}

static inline bool in_object(const struct scan *scan)
{
	size_t top = scan->depth - 1;
	return scan->objects[top / 64] >> (top % 64) & 1;
}

static bool close_container(struct scan *scan, enum state *state)
{
	scan->at++;
	scan->depth--;
	*state = AFTER;
	return true;
}

static bool json_check_value(struct scan *scan, enum state *state)
{
	int c = json_check_peek(scan);
	if (*state == VALUE_OR_END && c == ']')
		return close_container(scan, state);
	*state = AFTER;
	switch (c) {
	case '"':
		scan->at++;
		return json_check_string(scan);
	case '{':
		*state = KEY_OR_END;
		return open_container(scan, true);
	case '[':
		*state = VALUE_OR_END;
		return open_container(scan, false);
	case 't':
		return json_check_word(scan, "true", 4);
	case 'f':
		return json_check_word(scan, "false", 5);
	case 'n':
		return json_check_word(scan, "null", 4);
	default:
		return json_check_number(scan);
	}
}

static bool json_check_key(struct scan *scan, enum state *state)
{
	if (*state == KEY_OR_END && json_check_peek(scan) == '}')
		return close_container(scan, state);
	if (json_check_peek(scan) != '"')
		return json_check_fail(scan, JSON_BAD);
	scan->at++;
	if (!json_check_string(scan))
		return false;
	skip_space(scan);
	if (json_check_peek(scan) != ':')
		return json_check_fail(scan, JSON_BAD);
	scan->at++;
	*state = VALUE;
	return true;
}

/* Behind a value within a container. */
static bool json_check_after(struct scan *scan, enum state *state)
{
	bool object = in_object(scan);
	int c = json_check_peek(scan);
	if (c == (object ? '}' : ']'))
		return close_container(scan, state);
	if (c != ',')
		return json_check_fail(scan, JSON_BAD);
	scan->at++;
	*state = object ? KEY : VALUE;
	return true;
}

static bool json_check_text(struct scan *scan)
{
	enum state state = VALUE;
	for (;;) {
		bool ok;
		skip_space(scan);
		if (state == AFTER && scan->depth == 0)
			return scan->at == scan->end || json_check_fail(scan, JSON_BAD);
		if (state == AFTER)
			ok = json_check_after(scan, &state);
		else if (state == KEY || state == KEY_OR_END)
			ok = json_check_key(scan, &state);
		else
			ok = json_check_value(scan, &state);
		if (!ok)
			return false;
	}
}

struct json_check json_check(const char *bytes, size_t size, size_t depth_limit)
{
	struct scan scan; /* not cleared: a bit is written before it is read */
	scan.at = bytes;
	scan.end = bytes + size;
	scan.depth = 0;
	scan.depth_limit = depth_limit < JSON_DEPTH_MAXIMUM ? depth_limit : JSON_DEPTH_MAXIMUM;
	scan.verdict = JSON_VALID;
	scan.repair = false;
	json_check_text(&scan);
	return (struct json_check){ scan.verdict, (size_t)(scan.at - bytes), scan.repair };
}
