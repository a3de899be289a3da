/*
 * json_print.h - prints and parses JSON
 *
 * jansson's own printer writes 0.1 as 0.10000000000000001. This one writes the shortest text that
 * reads back as the same number.
 */
#ifndef WORKER_CLIENT_JSON_PRINT_H
#define WORKER_CLIENT_JSON_PRINT_H

#include <jansson.h>
#include <stdbool.h>

#include "schemas/base/text.h"

/* Appends the value on one line or, if pretty, on several lines indented by two blanks. */
void json_print(struct buffer *out, const json_t *value, bool pretty);

/* Returns the bytes as base64 in a JSON text, which the caller releases. */
json_t *base64_json(const void *bytes, size_t size);

/* Parses any JSON value. Integers of more than 64 bits become reals. NULL, with *error set, if the
 * text is not JSON. */
json_t *json_parse(const char *text, size_t size, json_error_t *error)
	__attribute__((warn_unused_result));

#endif
