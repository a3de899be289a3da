/*
 * scan.h - finds where the tokens of a JSON text end, and reads escapes
 *
 * json_check() uses it on texts that may be bad. All other callers use it on texts that
 * json_check() or PostgreSQL has accepted. On a bad text, no function reads at or after `end`.
 *
 * Source: RFC 8259. Threads: pure functions.
 */
#ifndef SCHEMAS_JSON_SCAN_H
#define SCHEMAS_JSON_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define JSON_SCAN_BAD (-1) /* not an escape */

static inline bool json_scan_is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Returns the first byte that is not a blank. */
static inline const char *json_scan_blanks(const char *at, const char *end)
{
	while (at < end && json_scan_is_blank(*at))
		at++;
	return at;
}

/* ---------------------------------------------------------------- characters of a string */

#define JSON_SCAN_HIGHS UINT64_C(0x8080808080808080)
#define JSON_SCAN_ONES UINT64_C(0x0101010101010101)

/* Sets a high bit for each zero byte of the word. Bits above the lowest one may be wrong, because
 * the subtraction borrows from the bytes above. */
static inline uint64_t json_scan_zeros(uint64_t word)
{
	return (word - JSON_SCAN_ONES) & ~word & JSON_SCAN_HIGHS;
}

/* Sets a high bit, of which the lowest is right, for each byte that ends a run. */
static inline uint64_t json_scan_stops(uint64_t word, bool checked)
{
	uint64_t stops = json_scan_zeros(word ^ (JSON_SCAN_ONES * '"')) |
		json_scan_zeros(word ^ (JSON_SCAN_ONES * '\\'));
	if (checked)
		return stops;
	return stops | ((word - JSON_SCAN_ONES * ' ') & ~word & JSON_SCAN_HIGHS) |
		(word & JSON_SCAN_HIGHS);
}

#ifdef __SSE2__
/* One bit for each of 16 bytes that ends a run. As signed numbers, bytes that are not ASCII are
 * below the blank, as control characters are. */
static inline unsigned json_scan_stops_16(const char *at, bool checked)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
	__m128i stops = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
		_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
	if (!checked)
		stops = _mm_or_si128(stops, _mm_cmplt_epi8(bytes, _mm_set1_epi8(' ')));
	return (unsigned)_mm_movemask_epi8(stops);
}
#endif

/* Returns the end of the run at `at`. `checked` is a constant in each caller. */
static inline const char *json_scan_to_stop(const char *at, const char *end, bool checked)
{
#ifdef __SSE2__
	while (end - at >= 16) {
		unsigned stops = json_scan_stops_16(at, checked);
		if (stops)
			return at + __builtin_ctz(stops);
		at += 16;
	}
#endif
	while (end - at >= 8) {
		uint64_t bytes;
		memcpy(&bytes, at, sizeof(bytes));
		uint64_t stops = json_scan_stops(bytes, checked);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		if (stops)
			return at + __builtin_ctzll(stops) / 8;
#else
		if (stops)
			break;
#endif
		at += 8;
	}
	while (at < end && *at != '"' && *at != '\\' && (checked || (*at >= ' ' && !(*at & 0x80))))
		at++;
	return at;
}

/* Returns the next quote or backslash of a checked text, or `end`. */
static inline const char *json_scan_run(const char *at, const char *end)
{
	return json_scan_to_stop(at, end, true);
}

/* The same for any text. It also stops at control characters and at bytes that are not ASCII. */
static inline const char *json_scan_plain(const char *at, const char *end)
{
	return json_scan_to_stop(at, end, false);
}

/* ---------------------------------------------------------------- escapes */

static inline bool json_scan_is_high(int unit)
{
	return unit >= 0xD800 && unit <= 0xDBFF;
}

static inline bool json_scan_is_low(int unit)
{
	return unit >= 0xDC00 && unit <= 0xDFFF;
}

static inline bool json_scan_is_surrogate(int unit)
{
	return unit >= 0xD800 && unit <= 0xDFFF;
}

/* Maps the character after the backslash to the character that the escape means; 0: no such escape. */
extern const unsigned char json_scan_shorts[256];

/* Reads four hexadecimal digits and moves *at to their end. If there are fewer digits, returns
 * JSON_SCAN_BAD and moves *at to the byte that is wrong. */
int json_scan_hex4(const char **at, const char *end);

/* The UTF-16 unit of an escape \uXXXX at `at`, JSON_SCAN_BAD if there is none. */
static inline int json_scan_unit(const char *at, const char *end)
{
	if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
		return JSON_SCAN_BAD;
	at += 2;
	return json_scan_hex4(&at, end);
}

/* json_scan_escape for escapes that are not short. */
int json_scan_long_escape(const char **at, const char *end);

/* Reads the escape at *at, which is a backslash, and moves *at to its end. Returns its code point.
 * Two escapes that form a surrogate pair are one code point. A lone surrogate returns its unit.
 * If the escape is bad, returns JSON_SCAN_BAD and moves *at to the byte that is wrong. */
static inline int json_scan_escape(const char **at, const char *end)
{
	if (end - *at >= 2) {
		int character = json_scan_shorts[(unsigned char)(*at)[1]];
		if (character) {
			*at += 2;
			return character;
		}
	}
	return json_scan_long_escape(at, end);
}

/* ---------------------------------------------------------------- tokens of a checked text */

/* Returns the byte after the string that begins at `at`. */
static inline const char *json_scan_string(const char *at, const char *end)
{
	at = json_scan_run(at + 1, end);
	while (at < end && *at == '\\')
		at = json_scan_run(at + 2, end);
	return at < end ? at + 1 : end;
}

/* Returns the byte after the object or array that begins at `at`. */
const char *json_scan_container(const char *at, const char *end);

/* Returns the byte after the value that begins at `at`. */
static inline const char *json_scan_value(const char *at, const char *end)
{
	if (at < end && *at == '"')
		return json_scan_string(at, end);
	if (at < end && (*at == '{' || *at == '['))
		return json_scan_container(at, end);
	while (at < end && *at != ',' && *at != ']' && *at != '}' && *at != ':' &&
		!json_scan_is_blank(*at))
		at++;
	return at;
}

#endif
