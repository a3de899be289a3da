/* rows.c - reading a result in binary format; a struct rows is a PGresult under another name */
#include "db/connection/rows.h"

#include <arpa/inet.h>
#include <endian.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POSTGRES_EPOCH_MS 946684800000LL

/* Oids of built-in types never change (pg_type.dat). */
enum {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_OID = 26,
	OID_FLOAT4 = 700,
	OID_FLOAT8 = 701,
	OID_TEXT_ARRAY = 1009,
	OID_TIMESTAMP = 1114,
	OID_TIMESTAMPTZ = 1184,
	OID_JSONB = 3802,
	OID_TEXT = 25,
	OID_VARCHAR = 1043,
	OID_NAME = 19,
	OID_JSON = 114,
	OID_UNKNOWN = 705,
	OID_BPCHAR = 1042
};

static const PGresult *rows_result_of(const struct rows *rows)
{
	return (const PGresult *)(const void *)rows;
}

int rows_count(const struct rows *rows)
{
	return PQntuples(rows_result_of(rows));
}

int rows_columns(const struct rows *rows)
{
	return PQnfields(rows_result_of(rows));
}

const char *rows_name(const struct rows *rows, int column)
{
	return PQfname(rows_result_of(rows), column);
}

int rows_column(const struct rows *rows, const char *name)
{
	/* PQfnumber folds case as SQL does; these names are exact. */
	int columns = rows_columns(rows);
	for (int i = 0; i < columns; i++)
		if (strcmp(rows_name(rows, i), name) == 0)
			return i;
	return -1;
}

int64_t rows_affected(const struct rows *rows)
{
	const char *tuples = PQcmdTuples((PGresult *)(void *)(uintptr_t)rows);
	return strtoll(tuples, NULL, 10);
}

uint32_t rows_oid(const struct rows *rows, int column)
{
	return PQftype(rows_result_of(rows), column);
}

int rows_params(const struct rows *rows)
{
	return PQnparams(rows_result_of(rows));
}

uint32_t rows_param_oid(const struct rows *rows, int param)
{
	return PQparamtype(rows_result_of(rows), param);
}

enum rows_kind rows_kind(const struct rows *rows, int column)
{
	switch (PQftype(rows_result_of(rows), column)) {
	case OID_BOOL:
		return ROWS_BOOL;
	case OID_INT2:
	case OID_INT4:
	case OID_INT8:
	case OID_OID:
		return ROWS_INTEGER;
	case OID_FLOAT4:
	case OID_FLOAT8:
		return ROWS_REAL;
	case OID_TIMESTAMP:
	case OID_TIMESTAMPTZ:
		return ROWS_TIME;
	case OID_BYTEA:
		return ROWS_BYTES;
	case OID_TEXT_ARRAY:
		return ROWS_TEXTS;
	case OID_TEXT:
	case OID_VARCHAR:
	case OID_BPCHAR:
	case OID_NAME:
	case OID_JSON:
	case OID_JSONB:
	case OID_UNKNOWN:
		return ROWS_TEXT;
	default:
		return ROWS_OTHER;
	}
}

/* Aborts if a statement and its reader do not match: a defect that no input can cause. */
static void rows_expect_kind(const struct rows *rows, int column, enum rows_kind kind)
{
	if (column >= 0 && column < rows_columns(rows) && rows_kind(rows, column) == kind)
		return;
	fprintf(stderr,
		"stowage: column %d has the type oid %u, which its reader does not expect\n",
		column, (unsigned)PQftype(rows_result_of(rows), column));
	abort();
}

bool rows_null(const struct rows *rows, int row, int column)
{
	return PQgetisnull(rows_result_of(rows), row, column) == 1;
}

const char *rows_text(const struct rows *rows, int row, int column, size_t *len)
{
	rows_expect_kind(rows, column, ROWS_TEXT);
	const char *text = PQgetvalue(rows_result_of(rows), row, column);
	*len = (size_t)PQgetlength(rows_result_of(rows), row, column);
	if (PQftype(rows_result_of(rows), column) == OID_JSONB && *len > 0) {
		text++; /* the version byte of the wire format */
		(*len)--;
	}
	return text;
}

const void *rows_bytes(const struct rows *rows, int row, int column, size_t *len)
{
	rows_expect_kind(rows, column, ROWS_BYTES);
	*len = (size_t)PQgetlength(rows_result_of(rows), row, column);
	return PQgetvalue(rows_result_of(rows), row, column);
}

bool rows_bool(const struct rows *rows, int row, int column)
{
	rows_expect_kind(rows, column, ROWS_BOOL);
	return PQgetvalue(rows_result_of(rows), row, column)[0] != 0;
}

static int64_t rows_read_int8(const char *bytes)
{
	uint64_t wire;
	memcpy(&wire, bytes, sizeof(wire));
	return (int64_t)be64toh(wire);
}

static int32_t rows_read_int4(const char *bytes)
{
	uint32_t wire;
	memcpy(&wire, bytes, sizeof(wire));
	return (int32_t)ntohl(wire);
}

int64_t rows_integer(const struct rows *rows, int row, int column)
{
	rows_expect_kind(rows, column, ROWS_INTEGER);
	const char *bytes = PQgetvalue(rows_result_of(rows), row, column);
	uint16_t small;
	switch (PQgetlength(rows_result_of(rows), row, column)) {
	case 8:
		return rows_read_int8(bytes);
	case 4:
		return PQftype(rows_result_of(rows), column) == OID_OID
			? (int64_t)(uint32_t)rows_read_int4(bytes)
			: rows_read_int4(bytes);
	default:
		memcpy(&small, bytes, sizeof(small));
		return (int16_t)ntohs(small);
	}
}

double rows_real(const struct rows *rows, int row, int column)
{
	rows_expect_kind(rows, column, ROWS_REAL);
	const char *bytes = PQgetvalue(rows_result_of(rows), row, column);
	if (PQgetlength(rows_result_of(rows), row, column) == 8) {
		int64_t bits = rows_read_int8(bytes);
		double value;
		memcpy(&value, &bits, sizeof(value));
		return value;
	}
	int32_t bits = rows_read_int4(bytes);
	float value;
	memcpy(&value, &bits, sizeof(value));
	return (double)value;
}

int64_t rows_time_ms(const struct rows *rows, int row, int column)
{
	rows_expect_kind(rows, column, ROWS_TIME);
	int64_t us = rows_read_int8(PQgetvalue(rows_result_of(rows), row, column));
	int64_t ms = us / 1000 - (us % 1000 < 0 ? 1 : 0);
	return ms + POSTGRES_EPOCH_MS;
}

int rows_texts(const struct rows *rows, int row, int column, struct rows_texts *cursor)
{
	rows_expect_kind(rows, column, ROWS_TEXTS);
	const char *bytes = PQgetvalue(rows_result_of(rows), row, column);
	/* array_send: dimensions, has nulls, element oid, then the dimension's length and lower bound */
	cursor->remaining = rows_read_int4(bytes) == 1 ? rows_read_int4(bytes + 12) : 0;
	cursor->next = bytes + 20;
	return cursor->remaining;
}

const char *rows_texts_next(struct rows_texts *cursor, size_t *len)
{
	int32_t size = rows_read_int4(cursor->next);
	const char *text = cursor->next + 4;
	cursor->remaining--;
	*len = size < 0 ? 0 : (size_t)size;
	cursor->next = text + *len;
	return size < 0 ? NULL : text;
}
