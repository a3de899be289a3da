/*
 * check.c - is this one strict JSON text?
 *
 * A machine of five states; containers are one bit each in a stack, so that no input can make
 * it recurse.
 */
#include "schemas/json/check.h"

#include <stdint.h>
#include <string.h>

#include "schemas/base/utf8.h"
#include "schemas/json/scan.h"

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

static bool json_check_escape(struct scan *scan)
{
	int point = json_scan_escape(&scan->at, scan->end);
	if (point == JSON_SCAN_BAD)
		return json_check_fail(scan, JSON_BAD);
	if (point == 0 || json_scan_is_surrogate(point))
		scan->repair = true;
	return true;
}

/* A string, from behind its opening quote. */
static bool json_check_string(struct scan *scan)
{
	for (;;) {
		scan->at = json_scan_plain(scan->at, scan->end);
		int c = json_check_peek(scan);
		if (c == '"') {
			scan->at++;
			return true;
		}
		if (c == '\\') {
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
	scan->at = json_scan_blanks(scan->at, scan->end);
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
		scan->at = json_scan_blanks(scan->at, scan->end);
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
