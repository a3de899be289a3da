/*
 * params.h - the parameters of one statement, in PostgreSQL's binary formats
 *
 * A set is filled, sent once (libpq copies it) and reset for the next statement; its buffers
 * are kept. Each parameter, and each array, has a buffer of its own, so that the rows of a
 * folded statement can be appended column by column while the commands are walked once.
 *
 * The SQL states the types by casts ($1::text[]): what is appended must be of the cast's type.
 * Source of the formats: the types' send/recv functions in PostgreSQL (array_send,
 * timestamptz_send, jsonb_send, ...).
 *
 * Not thread-safe. Allocation failure ends the process.
 */
#ifndef DB_CONNECTION_PARAMS_H
#define DB_CONNECTION_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct params;

struct params *params_new(void);
void params_free(struct params *params);
void params_reset(struct params *params);
/* ... and keeps no buffers. */
void params_trim(struct params *params);
int params_count(const struct params *params);

/* Scalars: each call appends the next parameter ($1, $2, ...). */
void params_null(struct params *params);
void params_text(struct params *params, const char *text, size_t len); /* also varchar, name */
void params_jsonb(struct params *params, const char *json, size_t len);
void params_bytea(struct params *params, const void *bytes, size_t len);
/* The next parameter of `len` bytes, which the caller fills in before anything else is appended. */
char *params_room(struct params *params, size_t len);
void params_bool(struct params *params, bool value);
void params_int4(struct params *params, int32_t value);
void params_int8(struct params *params, int64_t value);
void params_float8(struct params *params, double value);
/* timestamptz, or timestamp as UTC wall-clock: both are the same bytes. */
void params_timestamp_ms(struct params *params, int64_t ms_since_epoch);

/* Arrays: params_array_X appends the next parameter, an empty one-dimensional array, and
 * returns its index; array_X append an element to it. */
enum params_element {
	ELEMENT_TEXT,
	ELEMENT_JSONB,
	ELEMENT_BOOL,
	ELEMENT_INT4,
	ELEMENT_INT8,
	ELEMENT_FLOAT8,
	ELEMENT_TIMESTAMPTZ,
	ELEMENT_TIMESTAMP,
	ELEMENT_BYTEA,
};
int params_array(struct params *params, enum params_element element);
/* The same of a type that has no constant oid (an extension's): its elements are appended with
 * array_room, in the type's binary format. */
int params_array_of(struct params *params, uint32_t element_oid);
void array_null(struct params *params, int array);
void array_text(struct params *params, int array, const char *text, size_t len);
void array_jsonb(struct params *params, int array, const char *json, size_t len);
void array_bytea(struct params *params, int array, const void *bytes, size_t len);
/* An element of `len` bytes, to be filled in likewise. */
char *array_room(struct params *params, int array, size_t len);
void array_bool(struct params *params, int array, bool value);
void array_int4(struct params *params, int array, int32_t value);
void array_int8(struct params *params, int array, int64_t value);
void array_float8(struct params *params, int array, double value);
void array_timestamp_ms(struct params *params, int array, int64_t ms_since_epoch);

/* Rows for COPY FROM STDIN (FORMAT binary), as the next parameter: copy_row begins a row, whose
 * fields array_X append in order; copy_close ends the last. What is there may be sent and
 * forgotten between two rows. No other function of this header knows such a parameter. */
int params_copy(struct params *params);
void copy_row(struct params *params, int copy, int16_t fields);
void copy_close(struct params *params, int copy);
const void *copy_bytes(const struct params *params, int copy, size_t *size);
void copy_forget(struct params *params, int copy);

/* What libpq takes: valid until the next append or reset. */
const char *const *params_values(struct params *params);
const int *params_lengths(struct params *params);
const int *params_formats(struct params *params); /* all 1: binary */

/* Bytes held, to bound a batch. */
size_t params_bytes(const struct params *params);

#endif
