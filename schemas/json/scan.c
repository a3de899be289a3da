/*
 * scan.c - finds where the tokens of a JSON text end, and reads escapes
 */
#include "schemas/json/scan.h"

#include <stddef.h>

const unsigned char json_scan_shorts[256] = {
	['"'] = '"',
	['\\'] = '\\',
	['/'] = '/',
	['b'] = '\b',
	['f'] = '\f',
	['n'] = '\n',
	['r'] = '\r',
	['t'] = '\t',
};

#define IS_HEX 0x10

/* By character: a hexadecimal digit's value and IS_HEX; 0 for others. */
static const unsigned char scan_hex_digits[256] = {
	['0'] = IS_HEX | 0,
	['1'] = IS_HEX | 1,
	['2'] = IS_HEX | 2,
	['3'] = IS_HEX | 3,
	['4'] = IS_HEX | 4,
	['5'] = IS_HEX | 5,
	['6'] = IS_HEX | 6,
	['7'] = IS_HEX | 7,
	['8'] = IS_HEX | 8,
	['9'] = IS_HEX | 9,
	['a'] = IS_HEX | 10,
	['b'] = IS_HEX | 11,
	['c'] = IS_HEX | 12,
	['d'] = IS_HEX | 13,
	['e'] = IS_HEX | 14,
	['f'] = IS_HEX | 15,
	['A'] = IS_HEX | 10,
	['B'] = IS_HEX | 11,
	['C'] = IS_HEX | 12,
	['D'] = IS_HEX | 13,
	['E'] = IS_HEX | 14,
	['F'] = IS_HEX | 15,
};

static inline unsigned scan_hex_digit(char c)
{
	return scan_hex_digits[(unsigned char)c];
}

int json_scan_hex4(const char **at, const char *end)
{
	const char *digits = *at;

	if (end - digits >= 4) {
		unsigned a = scan_hex_digit(digits[0]), b = scan_hex_digit(digits[1]);
		unsigned c = scan_hex_digit(digits[2]), d = scan_hex_digit(digits[3]);
		if (a & b & c & d & IS_HEX) {
			*at += 4;
			return (int)((a & 15) << 12 | (b & 15) << 8 | (c & 15) << 4 | (d & 15));
		}
	}
	while (*at < end && scan_hex_digit(**at))
		++*at;
	return JSON_SCAN_BAD;
}

int json_scan_long_escape(const char **at, const char *end)
{
	++*at;
	if (*at >= end || **at != 'u')
		return JSON_SCAN_BAD;
	++*at;
	int unit = json_scan_hex4(at, end);
	if (!json_scan_is_high(unit))
		return unit;
	int low = json_scan_unit(*at, end);
	if (!json_scan_is_low(low))
		return unit;
	*at += 6;
	return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
}

const char *json_scan_container(const char *at, const char *end)
{
	size_t depth = 0;

	while (at < end) {
		char c = *at;
		if (c == '"') {
			at = json_scan_string(at, end);
			continue;
		}
		at++;
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && --depth == 0)
			break;
	}
	return at;
}
