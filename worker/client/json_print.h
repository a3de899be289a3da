/*
 * json_print.h - JSON trees as text, and from text
 *
 * Beside jansson's own printer because that one writes 0.1 as 0.10000000000000001: here a number
 * is the shortest text that reads back as the same number.
 */
#ifndef WORKER_CLIENT_JSON_PRINT_H
#define WORKER_CLIENT_JSON_PRINT_H

#include <jansson.h>
#include <stdbool.h>

#include "schemas/base/text.h"

/* Appends the value, in one line, or over several with two blanks a level. */
void json_print(struct buffer *out, const json_t *value, bool pretty);

/* Any JSON value; whole numbers beyond 64 bits become reals. NULL, and where and why, if the
 * text is none. */
json_t *json_parse(const char *text, size_t size, json_error_t *error)
	__attribute__((warn_unused_result));

#endif
