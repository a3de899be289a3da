/*
 * encode.h - encodes a command's value (single-object encoding) by the schemas that `stowage schemas` writes
 */
#ifndef ENCODE_H
#define ENCODE_H

#include <jansson.h>
#include <stddef.h>

struct encoder;

/* `directory`: the output of `stowage schemas --output`. `command`: a name in its index.json. */
struct encoder *encoder_open(const char *directory, const char *command);
void encoder_close(struct encoder *encoder);

/* Encodes the request given as JSON (bare values for unions, numbers for times, absent fields
 * null). Returns the value's size; *value is valid until the next call. */
size_t encoder_encode(struct encoder *encoder, const json_t *request, const void **value);

#endif
