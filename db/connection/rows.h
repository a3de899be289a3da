/*
 * rows.h - a statement's result, read-only, in binary format
 *
 * Text and bytes point into the result, which is freed when the callback that was given the
 * rows returns. Reading a column as something it is not ends the process: statements and
 * their readers are one piece, and `stowage check` prepares them all.
 */
#ifndef DB_CONNECTION_ROWS_H
#define DB_CONNECTION_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rows; /* is a PGresult */

int rows_count(const struct rows *rows);
int rows_columns(const struct rows *rows);
const char *rows_name(const struct rows *rows, int column);
/* Column of that exact name, -1 if there is none. */
int rows_column(const struct rows *rows, const char *name);
/* Rows an INSERT, UPDATE or DELETE touched. */
int64_t rows_affected(const struct rows *rows);

/* What a column holds, by its type's oid. */
enum rows_kind {
	ROWS_TEXT, /* text, varchar, name, json, jsonb, uuid, any type not listed (in text form) */
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

/* A text[] as a walk: returns the number of elements; element i by rows_texts_at (NULL for a
 * null element). Elements are walked from the start, so read them in order. */
struct rows_texts {
	const char *next;
	int remaining;
};
int rows_texts(const struct rows *rows, int row, int column, struct rows_texts *walk);
const char *rows_texts_next(struct rows_texts *walk, size_t *len);

#endif
