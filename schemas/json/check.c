/*
 * check.c - checks that a text is one strict JSON text
 *
 * A state machine of five states. A stack has one bit for each open object or array, so no input
 * can make the check recurse.
 */
#include "schemas/json/check.h"

#include <stdint.h>
#include <string.h>

#include "schemas/base/utf8.h"
#include "schemas/json/scan.h"

/* A larger exponent counts as one of this size. PostgreSQL stores none that large. */
#define EXPONENT_COUNTED ((size_t)1000 * 1000)

enum state {
	VALUE,
	VALUE_OR_END, /* after [ */
	KEY,
	KEY_OR_END, /* after { */
	AFTER,      /* after a value */
};

struct checker {
	const char *at;
	const char *end;
	size_t depth;
	size_t depth_limit;
	enum json_verdict verdict;
	bool repair;
	size_t spelled; /* what jsonb adds: digits of exponents, blanks behind colons and commas */
	uint64_t objects[JSON_DEPTH_MAXIMUM /
		64]; /* a bit for each open container: is it an object? */
};

static bool json_check_fail(struct checker *check, enum json_verdict verdict)
{
	check->verdict = verdict;
	return false;
}

static inline int json_check_peek(const struct checker *check)
{
	return check->at < check->end ? (unsigned char)*check->at : -1;
}

static bool json_check_escape(struct checker *check)
{
	int point = json_scan_escape(&check->at, check->end);
	if (point == JSON_SCAN_BAD)
		return json_check_fail(check, JSON_BAD);
	if (point == 0 || json_scan_is_surrogate(point))
		check->repair = true;
	return true;
}

/* Checks a string. check->at is after the opening quote. */
static bool json_check_string(struct checker *check)
{
	for (;;) {
		check->at = json_scan_plain(check->at, check->end);
		int c = json_check_peek(check);
		if (c == '"') {
			check->at++;
			return true;
		}
		if (c == '\\') {
			if (!json_check_escape(check))
				return false;
		} else if (c >= 0x80) {
			size_t step = unicode_step(check->at, check->end);
			if (!step)
				return json_check_fail(check, JSON_BAD_UTF8);
			check->at += step;
		} else {
			return json_check_fail(check, JSON_BAD);
		}
	}
}

static bool json_check_digits(struct checker *check)
{
	const char *start = check->at;
	while (check->at < check->end && *check->at >= '0' && *check->at <= '9')
		check->at++;
	return check->at > start || json_check_fail(check, JSON_BAD);
}

/* Adds the digits that the exponent stands for. */
static bool json_check_exponent(struct checker *check)
{
	if (json_check_peek(check) == '+' || json_check_peek(check) == '-')
		check->at++;
	const char *digits = check->at;
	if (!json_check_digits(check))
		return false;
	size_t exponent = 0;
	for (; digits < check->at && exponent < EXPONENT_COUNTED; digits++)
		exponent = exponent * 10 + (size_t)(*digits - '0');
	check->spelled += exponent;
	return true;
}

static bool json_check_number(struct checker *check)
{
	if (json_check_peek(check) == '-')
		check->at++;
	if (json_check_peek(check) == '0')
		check->at++;
	else if (!json_check_digits(check))
		return false;
	if (json_check_peek(check) == '.') {
		check->at++;
		if (!json_check_digits(check))
			return false;
	}
	if (json_check_peek(check) == 'e' || json_check_peek(check) == 'E') {
		check->at++;
		return json_check_exponent(check);
	}
	return true;
}

static bool json_check_word(struct checker *check, const char *expected, size_t size)
{
	if ((size_t)(check->end - check->at) < size || memcmp(check->at, expected, size) != 0)
		return json_check_fail(check, JSON_BAD);
	check->at += size;
	return true;
}

static bool open_container(struct checker *check, bool object)
{
	if (check->depth >= check->depth_limit)
		return json_check_fail(check, JSON_TOO_DEEP);
	uint64_t bit = UINT64_C(1) << (check->depth % 64);
	uint64_t *bits = &check->objects[check->depth / 64];
	*bits = object ? *bits | bit : *bits & ~bit;
	check->depth++;
	check->at++;
	return true;
}

static inline bool in_object(const struct checker *check)
{
	size_t top = check->depth - 1;
	return check->objects[top / 64] >> (top % 64) & 1;
}

static bool close_container(struct checker *check, enum state *state)
{
	check->at++;
	check->depth--;
	*state = AFTER;
	return true;
}

static bool json_check_value(struct checker *check, enum state *state)
{
	int c = json_check_peek(check);
	if (*state == VALUE_OR_END && c == ']')
		return close_container(check, state);
	*state = AFTER;
	switch (c) {
	case '"':
		check->at++;
		return json_check_string(check);
	case '{':
		*state = KEY_OR_END;
		return open_container(check, true);
	case '[':
		*state = VALUE_OR_END;
		return open_container(check, false);
	case 't':
		return json_check_word(check, "true", 4);
	case 'f':
		return json_check_word(check, "false", 5);
	case 'n':
		return json_check_word(check, "null", 4);
	default:
		return json_check_number(check);
	}
}

static bool json_check_key(struct checker *check, enum state *state)
{
	if (*state == KEY_OR_END && json_check_peek(check) == '}')
		return close_container(check, state);
	if (json_check_peek(check) != '"')
		return json_check_fail(check, JSON_BAD);
	check->at++;
	if (!json_check_string(check))
		return false;
	check->at = json_scan_blanks(check->at, check->end);
	if (json_check_peek(check) != ':')
		return json_check_fail(check, JSON_BAD);
	check->at++;
	check->spelled++;
	*state = VALUE;
	return true;
}

/* Checks what follows a value within a container. */
static bool json_check_after(struct checker *check, enum state *state)
{
	bool object = in_object(check);
	int c = json_check_peek(check);
	if (c == (object ? '}' : ']'))
		return close_container(check, state);
	if (c != ',')
		return json_check_fail(check, JSON_BAD);
	check->at++;
	check->spelled++;
	*state = object ? KEY : VALUE;
	return true;
}

static bool json_check_text(struct checker *check)
{
	enum state state = VALUE;
	for (;;) {
		bool ok;
		check->at = json_scan_blanks(check->at, check->end);
		if (state == AFTER && check->depth == 0)
			return check->at == check->end || json_check_fail(check, JSON_BAD);
		if (state == AFTER)
			ok = json_check_after(check, &state);
		else if (state == KEY || state == KEY_OR_END)
			ok = json_check_key(check, &state);
		else
			ok = json_check_value(check, &state);
		if (!ok)
			return false;
	}
}

struct json_check json_check(const char *bytes, size_t size, size_t depth_limit)
{
	struct checker check; /* not cleared: each bit is written before it is read */
	check.at = bytes;
	check.end = bytes + size;
	check.depth = 0;
	check.depth_limit = depth_limit < JSON_DEPTH_MAXIMUM ? depth_limit : JSON_DEPTH_MAXIMUM;
	check.verdict = JSON_VALID;
	check.repair = false;
	check.spelled = 0;
	json_check_text(&check);
	return (struct json_check){ check.verdict, (size_t)(check.at - bytes), check.repair,
		size + check.spelled };
}
