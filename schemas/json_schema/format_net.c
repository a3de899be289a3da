/* format_net.c - the formats email, ipv4, ipv6 and uri */
#include "schemas/json_schema/format.h"

#include <string.h>

#define MARKS_OF_LABELS "-"
#define MARKS_OF_ATOMS "!#$%&'*+-/=?^_`{|}~"
#define UNRESERVED "-._~"
#define SUB_DELIMITERS "!$&'()*+,;="

static bool net_is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool net_is_alpha(char c)
{
	return net_is_alnum(c) && !(c >= '0' && c <= '9');
}

static bool net_is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool net_is_one_of(char c, const char *marks)
{
	return net_is_alnum(c) || (c && strchr(marks, c));
}

/* --- addresses --- */

/* A decimal number up to 255 without leading zeros. */
static bool net_read_byte(const char **at, const char *end)
{
	const char *first = *at;
	int value = 0;

	while (*at < end && **at >= '0' && **at <= '9' && *at - first < 4)
		value = value * 10 + (*(*at)++ - '0');
	return *at > first && value <= 255 && (*at - first == 1 || *first != '0');
}

bool format_is_ipv4(const char *text, size_t size)
{
	const char *at = text, *end = text + size;

	for (int i = 0; i < 4; i++) {
		if (i && (at == end || *at++ != '.'))
			return false;
		if (!net_read_byte(&at, end))
			return false;
	}
	return at == end;
}

/* Reads one to four hexadecimal digits. */
static bool net_read_group(const char **at, const char *end)
{
	const char *first = *at;

	while (*at < end && net_is_hex(**at) && *at - first < 5)
		(*at)++;
	return *at > first && *at - first <= 4;
}

/* RFC 4291: eight groups, "::" once for one or more of zeros, an IPv4 address for the last two. */
bool format_is_ipv6(const char *text, size_t size)
{
	const char *at = text, *end = text + size;
	int groups = 0;
	bool gap = false;

	while (at < end) {
		if (end - at >= 2 && at[0] == ':' && at[1] == ':') {
			if (gap)
				return false;
			gap = true;
			at += 2;
			if (at == end)
				break;
		} else if (groups && *at++ != ':') {
			return false;
		}
		if (format_is_ipv4(at, (size_t)(end - at))) {
			groups += 2;
			break;
		}
		if (!net_read_group(&at, end))
			return false;
		groups++;
	}
	return gap ? groups < 8 : groups == 8;
}

/* --- email: RFC 5321, "Mailbox" --- */

/* Words of these characters, with single dots between them. */
static bool net_is_dotted(const char *text, size_t size, const char *marks)
{
	for (size_t i = 0; i < size; i++) {
		bool edge = i == 0 || i == size - 1 || text[i - 1] == '.';
		if (text[i] == '.' ? edge : !net_is_one_of(text[i], marks))
			return false;
	}
	return size > 0;
}

static bool net_is_quoted(const char *text, size_t size)
{
	if (size < 2 || text[0] != '"' || text[size - 1] != '"')
		return false;
	for (size_t i = 1; i < size - 1; i++) {
		if (text[i] == '\\')
			i++;
		if (i == size - 1 || text[i] < ' ' || text[i] > '~' ||
			(text[i] == '"' && text[i - 1] != '\\'))
			return false;
	}
	return true;
}

static bool net_is_address_literal(const char *text, size_t size)
{
	if (size < 2 || text[0] != '[' || text[size - 1] != ']')
		return false;
	if (size > 7 && memcmp(text + 1, "IPv6:", 5) == 0)
		return format_is_ipv6(text + 6, size - 7);
	return format_is_ipv4(text + 1, size - 2);
}

static bool net_is_domain(const char *text, size_t size)
{
	if (size > 255 || !net_is_dotted(text, size, MARKS_OF_LABELS))
		return false;
	for (size_t i = 0; i < size; i++)
		if (text[i] == '-' &&
			(i == 0 || i == size - 1 || text[i - 1] == '.' || text[i + 1] == '.'))
			return false;
	return true;
}

bool format_is_email(const char *text, size_t size)
{
	size_t local = size;

	while (local && text[local - 1] != '@')
		local--;
	if (!local--)
		return false;
	if (!net_is_dotted(text, local, MARKS_OF_ATOMS) && !net_is_quoted(text, local))
		return false;
	const char *domain = text + local + 1;
	size_t rest = size - local - 1;
	return net_is_domain(domain, rest) || net_is_address_literal(domain, rest);
}

/* --- uri: RFC 3986 --- */

/* Moves *at behind the characters of this kind. False: a percent sign without two digits. */
static bool net_skip(const char **at, const char *end, const char *marks)
{
	for (; *at < end; (*at)++) {
		if (**at == '%') {
			if (end - *at < 3 || !net_is_hex((*at)[1]) || !net_is_hex((*at)[2]))
				return false;
			*at += 2;
		} else if (!net_is_one_of(**at, marks)) {
			return true;
		}
	}
	return true;
}

static bool net_read_host(const char **at, const char *end)
{
	if (*at == end || **at != '[')
		return net_skip(at, end, UNRESERVED SUB_DELIMITERS);
	const char *close = memchr(*at, ']', (size_t)(end - *at));
	if (!close || !format_is_ipv6(*at + 1, (size_t)(close - *at - 1)))
		return false;
	*at = close + 1;
	return true;
}

/* [userinfo@]host[:port]; `end` is where the authority ends. */
static bool net_is_authority(const char *at, const char *end)
{
	const char *sign = memchr(at, '@', (size_t)(end - at));

	if (sign) {
		if (!net_skip(&at, sign, UNRESERVED SUB_DELIMITERS ":") || at != sign)
			return false;
		at++;
	}
	if (!net_read_host(&at, end))
		return false;
	if (at < end && *at == ':')
		for (at++; at < end && *at >= '0' && *at <= '9';)
			at++;
	return at == end;
}

static bool net_read_scheme(const char **at, const char *end)
{
	if (*at == end || !net_is_alpha(**at))
		return false;
	while (*at < end && net_is_one_of(**at, "+-."))
		(*at)++;
	return *at < end && *(*at)++ == ':';
}

bool format_is_uri(const char *text, size_t size)
{
	const char *at = text, *end = text + size;

	if (!net_read_scheme(&at, end))
		return false;
	if (end - at >= 2 && at[0] == '/' && at[1] == '/') {
		const char *first = at += 2;
		while (at < end && *at != '/' && *at != '?' && *at != '#')
			at++;
		if (!net_is_authority(first, at))
			return false;
	}
	if (!net_skip(&at, end, UNRESERVED SUB_DELIMITERS ":@/"))
		return false;
	if (at < end && *at == '?' && (at++, !net_skip(&at, end, UNRESERVED SUB_DELIMITERS ":@/?")))
		return false;
	if (at < end && *at == '#' && (at++, !net_skip(&at, end, UNRESERVED SUB_DELIMITERS ":@/?")))
		return false;
	return at == end;
}
