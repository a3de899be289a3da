/*
 * rows.h - a statement's result, read-only, in binary format
 *
 * Text and bytes point into the result, which the connection frees when the callback returns. Reading a
 * column as another kind than its own aborts the process: a statement and its reader belong together.
 * Any thread, within the callback.
 */
#ifndef DB_CONNECTION_ROWS_H
#define DB_CONNECTION_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rows; /* a PGresult */

int rows_count(const struct rows *rows);
int rows_columns(const struct rows *rows);
const char *rows_name(const struct rows *rows, int column);
/* The column with exactly this name; -1: none. */
int rows_column(const struct rows *rows, const char *name);
/* How many rows an INSERT, UPDATE or DELETE changed. */
int64_t rows_affected(const struct rows *rows);

/* The oid of a column's type; of connection_describe: the number of parameters, and the oid of a
 * parameter's type. */
uint32_t rows_oid(const struct rows *rows, int column);
int rows_params(const struct rows *rows);
uint32_t rows_param_oid(const struct rows *rows, int param);

/* How to read a column, by its type's oid. */
enum rows_kind {
	ROWS_TEXT, /* text, varchar, bpchar, name, json, jsonb */
	ROWS_BOOL,
	ROWS_INTEGER, /* int2, int4, int8, oid */
	ROWS_REAL,    /* float4, float8 */
	ROWS_TIME,    /* timestamp (as UTC), timestamptz */
	ROWS_BYTES,
	ROWS_TEXTS, /* text[] */
	ROWS_OTHER,
};
enum rows_kind rows_kind(const struct rows *rows, int column);

bool rows_null(const struct rows *rows, int row, int column);
const char *rows_text(const struct rows *rows, int row, int column, size_t *len);
const void *rows_bytes(const struct rows *rows, int row, int column, size_t *len);
bool rows_bool(const struct rows *rows, int row, int column);
int64_t rows_integer(const struct rows *rows, int row, int column);
double rows_real(const struct rows *rows, int row, int column);
/* Milliseconds since the epoch, rounded down. */
int64_t rows_time_ms(const struct rows *rows, int row, int column);

/* Reads a text[] from its first element to its last. rows_texts sets the cursor and returns the number of
 * elements; each call of rows_texts_next returns the next one, NULL for a null element. */
struct rows_texts {
	const char *next;
	int remaining;
};
int rows_texts(const struct rows *rows, int row, int column, struct rows_texts *cursor);
const char *rows_texts_next(struct rows_texts *cursor, size_t *len);

#endif
