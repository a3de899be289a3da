/*
 * decode.h - bytes of Avro's binary encoding into a datum
 *
 * Nothing is allocated because the input claims it: every length and count is held against the
 * bytes that are left and against the limits first, and what all datums of a message take is
 * bounded by its size (DECODE_FLOOR and DECODE_FACTOR). Text is not copied: it points into the
 * message. Strings are valid UTF-8, json fields are one strict JSON text; one that
 * jsonb refuses for an escaped NUL or a lone surrogate has DATUM_JSON_REPAIR in its flags.
 *
 * Source: Apache Avro 1.11 specification, "Binary Encoding".
 * Threads: any, each with its own arena; plans are shared.
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
	size_t string_bytes; /* also of bytes and json */
	size_t array_items;  /* also pairs of a map */
	size_t depth;        /* of records, arrays and maps within each other */
	size_t json_depth;   /* within one json field; at most JSON_DEPTH_MAXIMUM */
};

/* A message's datums may take this many bytes, or so many times the message's size if that is
 * more: only data made for it (arrays of nulls within arrays) take more. */
#define DECODE_FLOOR ((size_t)16 * 1024 * 1024)
#define DECODE_FACTOR 8

/*
 * Codes: TRUNCATED, TRAILING_BYTES, BAD_NUMBER, BAD_BOOLEAN, BAD_UNION, BAD_LENGTH, BAD_UTF8,
 * BAD_JSON, NULL_FOR_REQUIRED, LENGTH_BEYOND_LIMIT, DEPTH_BEYOND_LIMIT. The fault is
 * always the message's (INVALID).
 */
struct decode_error {
	const char *code;  /* static */
	char message[256]; /* begins with the field's path; valid UTF-8 */
};

/* Decodes all of `bytes`. The datum lives as long as the bytes, the arena and the plan's reader
 * type. False: nothing can be read, `error` says why. */
bool decode(const struct plan *plan, const void *bytes, size_t size,
	const struct decode_limits *limits, struct arena *arena, struct datum *datum,
	struct decode_error *error) __attribute__((warn_unused_result));

#endif
