/*
 * address.c - parses a host and a port
 */
#include "schemas/base/address.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool port_parse(const char *text, struct address *address)
{
	size_t len = strlen(text);

	if (len == 0 || len >= sizeof(address->port))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isdigit((unsigned char)text[i]))
			return false;
	if (atoi(text) > 65535)
		return false;
	snprintf(address->port, sizeof(address->port), "%s", text);
	return true;
}

/* Accepts letters, digits, dot, hyphen and underscore, or an IPv6 address in brackets. */
static bool host_parse(const char *text, size_t len, struct address *address)
{
	bool brackets = len >= 2 && text[0] == '[' && text[len - 1] == ']';

	if (brackets) {
		text++;
		len -= 2;
	}
	if (len >= sizeof(address->host) || (brackets && len == 0))
		return false;
	for (size_t i = 0; i < len; i++) {
		bool ok = isalnum((unsigned char)text[i]) || text[i] == '.' || text[i] == '-' ||
			text[i] == '_' || (brackets && (text[i] == ':' || text[i] == '%'));

		if (!ok)
			return false;
	}
	memcpy(address->host, text, len);
	address->host[len] = '\0';
	return true;
}

bool address_parse(const char *text, struct address *address, char *why, size_t why_size)
{
	const char *colon = strrchr(text, ':');

	if (!colon || colon[1] == ']') {
		snprintf(why, why_size, "has no port: write host:port");
		return false;
	}
	if (!port_parse(colon + 1, address)) {
		snprintf(why, why_size, "has no port from 0 to 65535 after its last colon");
		return false;
	}
	if (!host_parse(text, (size_t)(colon - text), address)) {
		snprintf(why, why_size,
			"has no host name or address before the port "
			"(write an IPv6 address in brackets: [::1]:9464)");
		return false;
	}
	return true;
}
