/*
 * address.h - parses a host and a port: "host:port", "[::1]:port", ":port" (all interfaces)
 *
 * It does not resolve names. Threads: pure functions.
 */
#ifndef SCHEMAS_BASE_ADDRESS_H
#define SCHEMAS_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

struct address {
	char host[256]; /* without brackets; "": all interfaces */
	char port[6];   /* 0 to 65535, in decimal */
};

/* False if the text is not an address; `why` then has the reason. */
bool address_parse(const char *text, struct address *address, char *why, size_t why_size)
	__attribute__((warn_unused_result));

#endif
