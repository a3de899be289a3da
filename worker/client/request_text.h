/*
 * request_text.h - the command in a message as JSON text
 *
 * By the worker's own decoder, which takes any bytes and the schemas of earlier releases. Null
 * fields are left out. Any thread.
 */
#ifndef WORKER_CLIENT_REQUEST_TEXT_H
#define WORKER_CLIENT_REQUEST_TEXT_H

#include <stddef.h>

#include "schemas/catalog/catalog.h"

/* Free the text. NULL, and why, if the message can't be read. */
char *request_text(const struct catalog *catalog, const void *message, size_t size, char *why,
	size_t why_size) __attribute__((warn_unused_result));

#endif
