#include "handlers/vectors_embedding.h"

#include <endian.h>
#include <math.h>
#include <string.h>

#define DENSE_DIMENSIONS_MAXIMUM 16000 /* of vector and halfvec */
#define SPARSE_ELEMENTS_MAXIMUM 16000  /* of sparsevec, what is not zero */
#define SPARSE_HEADER 12
#define DENSE_HEADER 4
#define BIT_HEADER 4
/* The first float that rounds to an infinite half: 65504 is the largest, 65536 the next step. */
#define HALF_OVERFLOW 65520.0

/* ---------------------------------------------------------------- numbers on the wire */

static void put16(char *at, uint16_t value)
{
	uint16_t wire = htobe16(value);
	memcpy(at, &wire, sizeof(wire));
}

static void put32(char *at, uint32_t value)
{
	uint32_t wire = htobe32(value);
	memcpy(at, &wire, sizeof(wire));
}

static void put_float(char *at, float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof(bits));
	put32(at, bits);
}

static uint16_t get16(const char *at)
{
	uint16_t wire;
	memcpy(&wire, at, sizeof(wire));
	return be16toh(wire);
}

static uint32_t get32(const char *at)
{
	uint32_t wire;
	memcpy(&wire, at, sizeof(wire));
	return be32toh(wire);
}

static float get_float(const char *at)
{
	uint32_t bits = get32(at);
	float value;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* IEEE 754 binary16 of a float in its range, to nearest, ties to even. */
static uint16_t half_of(float value)
{
	uint16_t sign = signbit(value) ? 0x8000 : 0;
	float size = fabsf(value);
	int exponent;

	if (size == 0)
		return sign;
	frexpf(size, &exponent);
	/* Of the step between halves here: 2^-24 below the normal ones, else 11 bits in all. */
	int step = exponent - 11 > -24 ? exponent - 11 : -24;
	uint16_t steps = (uint16_t)nearbyintf(ldexpf(size, -step));
	/* A carry out of the mantissa lands in the exponent, as it has to. */
	return sign | (uint16_t)(((step + 24) << 10) + steps);
}

static float float_of(uint16_t half)
{
	int exponent = half >> 10 & 0x1f;
	float mantissa = (float)(half & 0x3ff);
	float size = exponent ? ldexpf(mantissa + 1024, exponent - 25) : ldexpf(mantissa, -24);

	return half & 0x8000 ? -size : size;
}

/* ---------------------------------------------------------------- checks */

bool vectors_embedding_ok(struct turn *turn, struct call *call, const struct datum *values,
	const char *name)
{
	if (!values->size) {
		call_fail(turn, call, FAILURE_INVALID, "INVALID_VECTOR", NULL, "%s has no dimensions",
			name);
		return false;
	}
	for (uint32_t i = 0; i < values->size; i++) {
		if (isfinite(values->items[i].real))
			continue;
		call_fail(turn, call, FAILURE_INVALID, "INVALID_VECTOR", NULL,
			"%s must be an array of finite numbers: number %u is not", name, i);
		return false;
	}
	return true;
}

static bool dimension_fits(struct turn *turn, struct call *call,
	const struct vectors_index *index, uint32_t dimension)
{
	bool dense = index->type == VECTORS_VECTOR || index->type == VECTORS_HALFVEC;

	if (index->dimension > 0 && dimension != (uint32_t)index->dimension) {
		call_fail(turn, call, FAILURE_INVALID, "DIMENSION_MISMATCH",
			arena_printf(turn->arena,
				"{\"indexName\":\"%.*s\",\"expected\":%d,\"actual\":%u}",
				(int)index->name.size, index->name.text, index->dimension, dimension),
			"Vector dimension mismatch: index \"%.*s\" expects %d dimensions but got %u "
			"dimensions. Use a matching embedding model, or delete the index and create it "
			"with the new dimension",
			(int)index->name.size, index->name.text, index->dimension, dimension);
		return false;
	}
	if (!dense || dimension <= DENSE_DIMENSIONS_MAXIMUM)
		return true;
	call_fail(turn, call, FAILURE_INVALID, "INVALID_VECTOR", NULL,
		"A %s has at most %d dimensions, not %u", vectors_type_names[index->type],
		DENSE_DIMENSIONS_MAXIMUM, dimension);
	return false;
}

static uint32_t count_nonzero(const struct datum *values)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < values->size; i++)
		count += values->items[i].real != 0;
	return count;
}

bool vectors_embedding_fits(struct turn *turn, struct call *call,
	const struct vectors_index *index, const struct datum *values)
{
	if (!dimension_fits(turn, call, index, values->size))
		return false;
	if (index->type == VECTORS_SPARSEVEC && count_nonzero(values) > SPARSE_ELEMENTS_MAXIMUM) {
		call_fail(turn, call, FAILURE_INVALID, "INVALID_VECTOR", NULL,
			"A sparsevec has at most %d numbers that are not zero", SPARSE_ELEMENTS_MAXIMUM);
		return false;
	}
	for (uint32_t i = 0; index->type == VECTORS_HALFVEC && i < values->size; i++) {
		if (fabs(values->items[i].real) < HALF_OVERFLOW)
			continue;
		call_fail(turn, call, FAILURE_INVALID, "INVALID_VECTOR", NULL,
			"%g is out of range for the type halfvec", values->items[i].real);
		return false;
	}
	return true;
}

/* ---------------------------------------------------------------- encoding */

/* As JavaScript prints a number: -0 as 0. */
static float number_at(const struct datum *values, uint32_t i)
{
	return (float)(values->items[i].real + 0.0);
}

static struct datum encode_dense(struct arena *arena, const struct datum *values, bool half)
{
	size_t width = half ? sizeof(uint16_t) : sizeof(uint32_t);
	size_t size = DENSE_HEADER + width * values->size;
	char *bytes = arena_alloc(arena, size);

	put16(bytes, (uint16_t)values->size);
	put16(bytes + 2, 0);
	for (uint32_t i = 0; i < values->size; i++) {
		char *at = bytes + DENSE_HEADER + width * i;
		if (half)
			put16(at, half_of(number_at(values, i)));
		else
			put_float(at, number_at(values, i));
	}
	return datum_text(bytes, (uint32_t)size);
}

static struct datum encode_sparse(struct arena *arena, const struct datum *values)
{
	uint32_t count = count_nonzero(values);
	size_t size = SPARSE_HEADER + 8 * (size_t)count;
	char *bytes = arena_alloc(arena, size);
	char *index = bytes + SPARSE_HEADER, *value = index + 4 * (size_t)count;

	put32(bytes, values->size);
	put32(bytes + 4, count);
	put32(bytes + 8, 0);
	for (uint32_t i = 0; i < values->size; i++) {
		if (values->items[i].real == 0)
			continue;
		put32(index, i);
		put_float(value, number_at(values, i));
		index += 4;
		value += 4;
	}
	return datum_text(bytes, (uint32_t)size);
}

static struct datum encode_bits(struct arena *arena, const struct datum *values)
{
	size_t size = BIT_HEADER + ((size_t)values->size + 7) / 8;
	char *bytes = arena_calloc(arena, size, 1);

	put32(bytes, values->size);
	for (uint32_t i = 0; i < values->size; i++)
		if (values->items[i].real != 0)
			bytes[BIT_HEADER + i / 8] |= (char)(0x80 >> i % 8);
	return datum_text(bytes, (uint32_t)size);
}

struct datum vectors_embedding_encode(struct arena *arena, enum vectors_type type,
	const struct datum *values)
{
	if (type == VECTORS_BIT)
		return encode_bits(arena, values);
	if (type == VECTORS_SPARSEVEC)
		return encode_sparse(arena, values);
	return encode_dense(arena, values, type == VECTORS_HALFVEC);
}

/* ---------------------------------------------------------------- decoding */

static struct datum decode_dense(struct arena *arena, const char *bytes, size_t len, bool half)
{
	size_t width = half ? sizeof(uint16_t) : sizeof(uint32_t);
	uint32_t count = len < DENSE_HEADER ? 0 : get16(bytes);

	if (!count || len != DENSE_HEADER + width * count)
		return datum_null();
	struct datum *items = arena_calloc(arena, count, sizeof(*items));
	for (uint32_t i = 0; i < count; i++) {
		const char *at = bytes + DENSE_HEADER + width * i;
		items[i] = datum_real((double)(half ? float_of(get16(at)) : get_float(at)));
	}
	return datum_array(items, count);
}

static struct datum decode_sparse(struct arena *arena, const char *bytes, size_t len)
{
	uint32_t dimension = len < SPARSE_HEADER ? 0 : get32(bytes);
	uint32_t count = dimension ? get32(bytes + 4) : 0;

	if (!dimension || len != SPARSE_HEADER + 8 * (size_t)count)
		return datum_null();
	struct datum *items = arena_calloc(arena, dimension, sizeof(*items));
	for (uint32_t i = 0; i < dimension; i++)
		items[i] = datum_real(0);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t index = get32(bytes + SPARSE_HEADER + 4 * (size_t)i);
		if (index < dimension)
			items[index].real =
				(double)get_float(bytes + SPARSE_HEADER + 4 * ((size_t)count + i));
	}
	return datum_array(items, dimension);
}

static struct datum decode_bits(struct arena *arena, const char *bytes, size_t len)
{
	uint32_t count = len < BIT_HEADER ? 0 : get32(bytes);

	if (!count || len != BIT_HEADER + ((size_t)count + 7) / 8)
		return datum_null();
	struct datum *items = arena_calloc(arena, count, sizeof(*items));
	for (uint32_t i = 0; i < count; i++)
		items[i] = datum_real((unsigned char)bytes[BIT_HEADER + i / 8] >> (7 - i % 8) & 1);
	return datum_array(items, count);
}

struct datum vectors_embedding_decode(struct arena *arena, enum vectors_type type,
	const void *bytes, size_t len)
{
	if (type == VECTORS_BIT)
		return decode_bits(arena, bytes, len);
	if (type == VECTORS_SPARSEVEC)
		return decode_sparse(arena, bytes, len);
	return decode_dense(arena, bytes, len, type == VECTORS_HALFVEC);
}
