/*
 * decode.h - decodes Avro's binary encoding into a datum
 *
 * The decoder trusts no length in a message. It compares each length and count with the bytes left
 * and with the limits before it allocates. The memory for all datums is limited by the size of the
 * message (DECODE_FLOOR and DECODE_FACTOR).
 *
 * A text is not copied: it points into the message. Each string is valid UTF-8, and each json field
 * is one strict JSON text. If jsonb rejects the text because of an escaped NUL or a lone surrogate,
 * the datum's flags have DATUM_JSON_REPAIR.
 *
 * Source: Apache Avro 1.11 specification, "Binary Encoding".
 * Threads: any, each with its own arena. Threads may share plans.
 */
#ifndef SCHEMAS_AVRO_DECODE_H
#define SCHEMAS_AVRO_DECODE_H

#include <stdbool.h>
#include <stddef.h>

#include "schemas/avro/plan.h"
#include "schemas/base/arena.h"
#include "schemas/base/datum.h"

struct decode_limits {
	size_t message_bytes;
	size_t string_bytes; /* of a string, bytes or json */
	size_t array_items;  /* items of an array or pairs of a map */
	size_t depth;        /* nested records, arrays and maps */
	size_t json_depth; /* nested objects and arrays of a json field; up to JSON_DEPTH_MAXIMUM */
};

/* The datums of a message may take DECODE_FLOOR bytes, or DECODE_FACTOR times the message's size if
 * that is more. Only malicious data, such as arrays of nulls in arrays, need more. */
#define DECODE_FLOOR ((size_t)16 * 1024 * 1024)
#define DECODE_FACTOR 8

/* Returns the bytes that the datums of a message of `size` bytes may take. */
size_t decode_budget(size_t size);

/*
 * Codes: TRUNCATED, TRAILING_BYTES, BAD_NUMBER, BAD_BOOLEAN, BAD_UNION, BAD_LENGTH, BAD_UTF8,
 * BAD_JSON, NULL_FOR_REQUIRED, LENGTH_BEYOND_LIMIT, DEPTH_BEYOND_LIMIT. The category is always
 * INVALID: a retry gives the same result.
 */
struct decode_error {
	const char *code;  /* static */
	char message[256]; /* begins with the path of the field; valid UTF-8 */
};

/* Decodes `bytes`, which must be one datum and nothing else. The datum is valid as long as the
 * bytes, the arena and the plan. False if the bytes can't be decoded; `error` then has the reason. */
bool decode(const struct plan *plan, const void *bytes, size_t size,
	const struct decode_limits *limits, struct arena *arena, struct datum *datum,
	struct decode_error *error) __attribute__((warn_unused_result));

#endif
