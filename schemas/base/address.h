/*
 * address.h - "host:port", "[::1]:port", ":port" (every interface)
 */
#ifndef SCHEMAS_BASE_ADDRESS_H
#define SCHEMAS_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

struct address {
	char host[256]; /* without brackets; "" is every interface */
	char port[6];
};

/* False, with the reason in `why`, if the text is no address. */
bool address_parse(const char *text, struct address *address, char *why, size_t why_size)
	__attribute__((warn_unused_result));

#endif
