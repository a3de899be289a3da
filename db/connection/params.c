/* params.c - parameters, arrays and COPY rows in PostgreSQL's binary formats */
#include "db/connection/params.h"

#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/allowance.h"
#include "schemas/base/buffer.h"

/* Seconds from the Unix epoch to PostgreSQL's, 2000-01-01 00:00 UTC. */
#define POSTGRES_EPOCH_SECONDS 946684800LL

/* Oids of built-in types never change (pg_type.dat). */
enum {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_INT8 = 20,
	OID_INT4 = 23,
	OID_TEXT = 25,
	OID_FLOAT8 = 701,
	OID_TIMESTAMP = 1114,
	OID_TIMESTAMPTZ = 1184,
	OID_JSONB = 3802
};

static const uint32_t element_oids[] = {
	[ELEMENT_TEXT] = OID_TEXT,
	[ELEMENT_JSONB] = OID_JSONB,
	[ELEMENT_BOOL] = OID_BOOL,
	[ELEMENT_INT4] = OID_INT4,
	[ELEMENT_INT8] = OID_INT8,
	[ELEMENT_FLOAT8] = OID_FLOAT8,
	[ELEMENT_TIMESTAMPTZ] = OID_TIMESTAMPTZ,
	[ELEMENT_TIMESTAMP] = OID_TIMESTAMP,
	[ELEMENT_BYTEA] = OID_BYTEA,
};

/* array_send: dimensions, has nulls, element oid, then the length and lower bound of each dimension. An
 * empty array has no dimension, so its header ends after the oid. */
#define ARRAY_HEADER_EMPTY 12

/* libpq's lengths are ints, and PostgreSQL takes no message beyond 1 GB. */
#define WIRE_BYTES_MAX ((size_t)1024 * 1024 * 1024)

struct param {
	struct params *owner;
	struct buffer wire; /* in the wire format */
	bool null;
	bool array;
	bool has_null;
	int32_t elements;
};

struct params {
	struct param *list;
	int count;
	int capacity;
	const char **values;
	int *lengths;
	int *formats;
	struct allowance *allowance; /* NULL: none */
};

static void *params_checked(void *memory)
{
	if (!memory) {
		fputs("stowage: out of memory\n", stderr);
		abort();
	}
	return memory;
}

struct params *params_new(void)
{
	return params_checked(calloc(1, sizeof(struct params)));
}

void params_free(struct params *params)
{
	if (!params)
		return;
	for (int i = 0; i < params->capacity; i++)
		buffer_free(&params->list[i].wire);
	free(params->list);
	free(params->values);
	free(params->lengths);
	free(params->formats);
	free(params);
}

/* params_reset frees larger buffers, so that one large command does not hold memory for ever. */
#define KEPT_BYTES (256 * 1024)

static void params_free_larger(struct params *params, int count, size_t bytes)
{
	for (int i = 0; i < count; i++) {
		struct param *param = &params->list[i];
		if (param->wire.capacity > bytes)
			buffer_free(&param->wire);
	}
	params->count = 0;
}

void params_reset(struct params *params)
{
	params_free_larger(params, params->count, KEPT_BYTES);
}

void params_trim(struct params *params)
{
	params_free_larger(params, params->capacity, 0);
}

struct allowance *params_charge(struct params *params, struct allowance *allowance)
{
	struct allowance *before = params->allowance;
	params->allowance = allowance;
	return before;
}

int params_count(const struct params *params)
{
	return params->count;
}

static void params_grow(struct params *params)
{
	int capacity = params->capacity ? params->capacity * 2 : 16;
	size_t count = (size_t)capacity;
	params->list = params_checked(realloc(params->list, count * sizeof(*params->list)));
	memset(params->list + params->capacity, 0,
		(count - (size_t)params->capacity) * sizeof(*params->list));
	params->values = params_checked(realloc(params->values, count * sizeof(*params->values)));
	params->lengths = params_checked(realloc(params->lengths,
		count * sizeof(*params->lengths)));
	params->formats = params_checked(realloc(params->formats,
		count * sizeof(*params->formats)));
	params->capacity = capacity;
}

static struct param *params_next(struct params *params)
{
	if (params->count == params->capacity)
		params_grow(params);
	struct param *param = &params->list[params->count++];
	param->owner = params;
	param->wire.maximum = WIRE_BYTES_MAX;
	buffer_clear(&param->wire);
	param->null = false;
	param->array = false;
	param->has_null = false;
	param->elements = 0;
	return param;
}

/* Appends `len` bytes for the caller to fill. */
static char *param_room(struct param *param, size_t len)
{
	struct allowance *allowance = param->owner->allowance;
	if (allowance)
		allowance_take(allowance, len);
	char *room = (char *)buffer_extend(&param->wire, len);
	if (!room && allowance)
		allowance_end(allowance);
	return params_checked(room);
}

static void param_add(struct param *param, const void *bytes, size_t len)
{
	char *room = param_room(param, len);
	if (len)
		memcpy(room, bytes, len);
}

static void param_int4(struct param *param, int32_t value)
{
	uint32_t wire = htonl((uint32_t)value);
	param_add(param, &wire, sizeof(wire));
}

static void param_int8(struct param *param, int64_t value)
{
	uint64_t wire = htobe64((uint64_t)value);
	param_add(param, &wire, sizeof(wire));
}

static void param_float8(struct param *param, double value)
{
	int64_t bits;
	memcpy(&bits, &value, sizeof(bits));
	param_int8(param, bits);
}

static int64_t postgres_time(int64_t ms_since_epoch)
{
	int64_t us;
	if (__builtin_mul_overflow(ms_since_epoch - POSTGRES_EPOCH_SECONDS * 1000, 1000, &us))
		us = ms_since_epoch < 0 ? INT64_MIN : INT64_MAX;
	return us;
}

static int64_t postgres_time_us(int64_t us_since_epoch)
{
	int64_t us;
	if (__builtin_sub_overflow(us_since_epoch, POSTGRES_EPOCH_SECONDS * 1000000, &us))
		us = INT64_MIN;
	return us;
}

void params_null(struct params *params)
{
	params_next(params)->null = true;
}

char *params_room(struct params *params, size_t len)
{
	/* Not NULL, even for 0 bytes: libpq reads a NULL pointer as a null. */
	return param_room(params_next(params), len);
}

void params_text(struct params *params, const char *text, size_t len)
{
	char *room = params_room(params, len);
	if (len)
		memcpy(room, text, len);
}

void params_bytea(struct params *params, const void *bytes, size_t len)
{
	params_text(params, bytes, len);
}

void params_jsonb(struct params *params, const char *json, size_t len)
{
	struct param *param = params_next(params);
	param_add(param, "\1", 1); /* the version byte of jsonb's wire format */
	param_add(param, json, len);
}

void params_bool(struct params *params, bool value)
{
	param_add(params_next(params), value ? "\1" : "\0", 1);
}

void params_int4(struct params *params, int32_t value)
{
	param_int4(params_next(params), value);
}

void params_int8(struct params *params, int64_t value)
{
	param_int8(params_next(params), value);
}

void params_float8(struct params *params, double value)
{
	param_float8(params_next(params), value);
}

void params_timestamp_ms(struct params *params, int64_t ms_since_epoch)
{
	param_int8(params_next(params), postgres_time(ms_since_epoch));
}

void params_timestamp_us(struct params *params, int64_t us_since_epoch)
{
	param_int8(params_next(params), postgres_time_us(us_since_epoch));
}

int params_array(struct params *params, enum params_element element)
{
	return params_array_of(params, element_oids[element]);
}

int params_array_of(struct params *params, uint32_t element_oid)
{
	struct param *param = params_next(params);
	param->array = true;
	param_int4(param, 1); /* dimensions */
	param_int4(param, 0); /* has nulls: set when known */
	param_int4(param, (int32_t)element_oid);
	param_int4(param, 0); /* length: set when known */
	param_int4(param, 1); /* lower bound */
	return params->count - 1;
}

static struct param *array_element(struct params *params, int array, int32_t len)
{
	struct param *param = &params->list[array];
	param->elements++;
	param_int4(param, len);
	return param;
}

void array_null(struct params *params, int array)
{
	array_element(params, array, -1)->has_null = true;
}

char *array_room(struct params *params, int array, size_t len)
{
	return param_room(array_element(params, array, (int32_t)len), len);
}

void array_text(struct params *params, int array, const char *text, size_t len)
{
	param_add(array_element(params, array, (int32_t)len), text, len);
}

void array_bytea(struct params *params, int array, const void *bytes, size_t len)
{
	array_text(params, array, bytes, len);
}

void array_jsonb(struct params *params, int array, const char *json, size_t len)
{
	struct param *param = array_element(params, array, (int32_t)(len + 1));
	param_add(param, "\1", 1);
	param_add(param, json, len);
}

void array_bool(struct params *params, int array, bool value)
{
	param_add(array_element(params, array, 1), value ? "\1" : "\0", 1);
}

void array_int4(struct params *params, int array, int32_t value)
{
	param_int4(array_element(params, array, 4), value);
}

void array_int8(struct params *params, int array, int64_t value)
{
	param_int8(array_element(params, array, 8), value);
}

void array_float8(struct params *params, int array, double value)
{
	param_float8(array_element(params, array, 8), value);
}

void array_timestamp_ms(struct params *params, int array, int64_t ms_since_epoch)
{
	param_int8(array_element(params, array, 8), postgres_time(ms_since_epoch));
}

void array_timestamp_us(struct params *params, int array, int64_t us_since_epoch)
{
	param_int8(array_element(params, array, 8), postgres_time_us(us_since_epoch));
}

static void param_int2(struct param *param, int16_t value)
{
	uint16_t wire = htons((uint16_t)value);
	param_add(param, &wire, sizeof(wire));
}

int params_copy(struct params *params)
{
	static const char signature[] = "PGCOPY\n\377\r\n"; /* its NUL is the eleventh byte */
	struct param *param = params_next(params);
	param_add(param, signature, sizeof(signature));
	param_int4(param, 0); /* flags */
	param_int4(param, 0); /* length of the header's extension */
	return params->count - 1;
}

void copy_row(struct params *params, int copy, int16_t fields)
{
	param_int2(&params->list[copy], fields);
}

void copy_close(struct params *params, int copy)
{
	param_int2(&params->list[copy], -1);
}

const void *copy_bytes(const struct params *params, int copy, size_t *size)
{
	*size = params->list[copy].wire.size;
	return params->list[copy].wire.data;
}

void copy_forget(struct params *params, int copy)
{
	params->list[copy].wire.size = 0;
}

/* Fills in the counts of an array's header, which are known after its last element. */
static void array_finish(struct param *param)
{
	uint32_t dimensions = htonl(param->elements ? 1 : 0);
	uint32_t has_null = htonl(param->has_null ? 1 : 0);
	uint32_t length = htonl((uint32_t)param->elements);
	memcpy(param->wire.data, &dimensions, 4);
	memcpy(param->wire.data + 4, &has_null, 4);
	memcpy(param->wire.data + 12, &length, 4);
}

const char *const *params_values(struct params *params)
{
	for (int i = 0; i < params->count; i++) {
		struct param *param = &params->list[i];
		if (param->array)
			array_finish(param);
		params->values[i] = param->null ? NULL : (const char *)param->wire.data;
	}
	return params->values;
}

const int *params_lengths(struct params *params)
{
	for (int i = 0; i < params->count; i++) {
		const struct param *param = &params->list[i];
		bool empty = param->array && param->elements == 0;
		params->lengths[i] = empty ? ARRAY_HEADER_EMPTY : (int)param->wire.size;
	}
	return params->lengths;
}

const int *params_formats(struct params *params)
{
	for (int i = 0; i < params->count; i++)
		params->formats[i] = 1;
	return params->formats;
}

size_t params_bytes(const struct params *params)
{
	size_t bytes = 0;
	for (int i = 0; i < params->count; i++)
		bytes += params->list[i].wire.size;
	return bytes;
}
