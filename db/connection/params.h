/*
 * params.h - the parameters of one statement, in PostgreSQL's binary formats
 *
 * The caller fills a set, sends it (libpq copies it) and resets it for the next statement. A reset keeps
 * the buffers. Each parameter, and each array, has its own buffer: one pass over the commands of a folded
 * statement can append to all columns.
 *
 * The SQL states the types by casts ($1::text[]); a parameter must have the cast's type. Source of the
 * formats: the types' send/recv functions in PostgreSQL (array_send, timestamptz_send, jsonb_send, ...).
 *
 * One thread at a time. A failed allocation, or one beyond the allowance, ends the work (allowance.h); without
 * an allowance it aborts the process.
 */
#ifndef DB_CONNECTION_PARAMS_H
#define DB_CONNECTION_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct allowance;
struct params;

struct params *params_new(void);
void params_free(struct params *params);
void params_reset(struct params *params);
/* Resets and frees the buffers. */
void params_trim(struct params *params);
/* Until the next call, appended bytes count against this allowance (NULL: none). Returns the allowance of
 * before. */
struct allowance *params_charge(struct params *params, struct allowance *allowance);
int params_count(const struct params *params);

/* Scalars: each call appends the next parameter ($1, $2, ...). */
void params_null(struct params *params);
void params_text(struct params *params, const char *text, size_t len); /* also varchar, name */
void params_jsonb(struct params *params, const char *json, size_t len);
void params_bytea(struct params *params, const void *bytes, size_t len);
/* Appends a parameter of `len` bytes. The caller fills the bytes before the next append. */
char *params_room(struct params *params, size_t len);
void params_bool(struct params *params, bool value);
void params_int4(struct params *params, int32_t value);
void params_int8(struct params *params, int64_t value);
void params_float8(struct params *params, double value);
/* timestamptz, or timestamp in UTC: both have the same bytes. */
void params_timestamp_ms(struct params *params, int64_t ms_since_epoch);
void params_timestamp_us(struct params *params, int64_t us_since_epoch);

/* Arrays: params_array_X appends the next parameter, an empty one-dimensional array, and
 * returns its index; array_X appends an element to it. */
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
/* An array of a type without a constant oid (an extension's). array_room appends its elements, in the
 * type's binary format. */
int params_array_of(struct params *params, uint32_t element_oid);
void array_null(struct params *params, int array);
void array_text(struct params *params, int array, const char *text, size_t len);
void array_jsonb(struct params *params, int array, const char *json, size_t len);
void array_bytea(struct params *params, int array, const void *bytes, size_t len);
/* Appends an element of `len` bytes. The caller fills the bytes before the next append. */
char *array_room(struct params *params, int array, size_t len);
void array_bool(struct params *params, int array, bool value);
void array_int4(struct params *params, int array, int32_t value);
void array_int8(struct params *params, int array, int64_t value);
void array_float8(struct params *params, int array, double value);
void array_timestamp_ms(struct params *params, int array, int64_t ms_since_epoch);
void array_timestamp_us(struct params *params, int array, int64_t us_since_epoch);

/* Rows for COPY FROM STDIN (FORMAT binary). params_copy appends the parameter that collects them; copy_row
 * begins a row, array_X append its fields in order, copy_close ends the data. Between two rows the
 * caller may send copy_bytes and call copy_forget. No other function accepts such a parameter. */
int params_copy(struct params *params);
void copy_row(struct params *params, int copy, int16_t fields);
void copy_close(struct params *params, int copy);
const void *copy_bytes(const struct params *params, int copy, size_t *size);
void copy_forget(struct params *params, int copy);

/* libpq's arrays, valid until the next append or reset. */
const char *const *params_values(struct params *params);
const int *params_lengths(struct params *params);
const int *params_formats(struct params *params); /* all 1: binary */

/* Bytes of all parameters. */
size_t params_bytes(const struct params *params);

#endif
