/*
 * request_text.h - decodes a command's message to JSON text
 *
 * Uses the worker's own decoder, which accepts any bytes and the schemas of earlier releases. Omits
 * null fields. Any thread.
 */
#ifndef WORKER_CLIENT_REQUEST_TEXT_H
#define WORKER_CLIENT_REQUEST_TEXT_H

#include <stddef.h>

#include "schemas/catalog/catalog.h"

/* The caller frees the text. NULL, with the reason in `why`, if the message can't be decoded. */
char *request_text(const struct catalog *catalog, const void *message, size_t size, char *why,
	size_t why_size) __attribute__((warn_unused_result));

#endif
