/*
 * encode.h - a command's value: single-object encoding by the schemas of `stowage schemas`
 */
#ifndef ENCODE_H
#define ENCODE_H

#include <jansson.h>
#include <stddef.h>

struct encoder;

/* `directory` as `stowage schemas --output` writes it; `command` as in its index.json. */
struct encoder *encoder_open(const char *directory, const char *command);
void encoder_close(struct encoder *encoder);

/* Encodes the request given as JSON (bare values for unions, numbers for times, absent fields
 * null). Returns the value's size; it lies in *value until the next call. */
size_t encoder_encode(struct encoder *encoder, const json_t *request, const void **value);

#endif
