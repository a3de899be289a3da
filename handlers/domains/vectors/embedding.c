/* embedding.c - checks embeddings and converts them to and from the binary formats of pgvector */
#include "handlers/domains/vectors/embedding.h"

#include <endian.h>
#include <math.h>
#include <string.h>

#define DENSE_DIMENSIONS_MAXIMUM 16000 /* dimensions of a vector or a halfvec */
#define SPARSE_ELEMENTS_MAXIMUM 16000  /* numbers of a sparsevec that are not zero */
#define SPARSE_HEADER 12
#define DENSE_HEADER 4
#define BIT_HEADER 4
/* The smallest float that rounds to infinity as a half: 65504 is the largest half, 65536 the
 * next step. */
#define HALF_OVERFLOW 65520.0F
#define FLOAT_SIGN UINT32_C(0x80000000)
#define FLOAT_EXPONENT UINT32_C(0x7f800000)

/* ---------------------------------------------------------------- numbers on the wire */

static void embedding_put16(char *at, uint16_t value)
{
	uint16_t wire = htobe16(value);
	memcpy(at, &wire, sizeof(wire));
}

static void embedding_put32(char *at, uint32_t value)
{
	uint32_t wire = htobe32(value);
	memcpy(at, &wire, sizeof(wire));
}

static uint16_t embedding_get16(const char *at)
{
	uint16_t wire;
	memcpy(&wire, at, sizeof(wire));
	return be16toh(wire);
}

static uint32_t embedding_get32(const char *at)
{
	uint32_t wire;
	memcpy(&wire, at, sizeof(wire));
	return be32toh(wire);
}

static float embedding_get_float(const char *at)
{
	uint32_t bits = embedding_get32(at);
	float value;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* Converts a float within the range of IEEE 754 binary16: to nearest, ties to even. */
static uint16_t embedding_half(float value)
{
	uint16_t sign = value < 0 ? 0x8000 : 0; /* -0 becomes 0 */
	float size = fabsf(value);
	int exponent;

	if (size == 0)
		return sign;
	frexpf(size, &exponent);
	/* The exponent of the step between halves, which have 11 significant bits: -24 or more. */
	int step = exponent - 11 > -24 ? exponent - 11 : -24;
	uint16_t steps = (uint16_t)nearbyintf(ldexpf(size, -step));
	/* A carry out of the mantissa increments the exponent, as it must. */
	return sign | (uint16_t)(((step + 24) << 10) + steps);
}

static float embedding_float(uint16_t half)
{
	int exponent = half >> 10 & 0x1f;
	float mantissa = (float)(half & 0x3ff);
	float size = exponent ? ldexpf(mantissa + 1024, exponent - 25) : ldexpf(mantissa, -24);

	return half & 0x8000 ? -size : size;
}

/* The bits of a number, with -0 as 0, as JavaScript prints numbers. */
static uint32_t embedding_bits(const struct datum *floats, uint32_t i)
{
	uint32_t bits;
	memcpy(&bits, floats->text + (size_t)i * sizeof(bits), sizeof(bits));
	bits = le32toh(bits);
	return bits == FLOAT_SIGN ? 0 : bits;
}

/* Four floats at once: an embedding has thousands, and this code reads each twice. */
typedef uint32_t four __attribute__((vector_size(16)));
#define FOUR ((uint32_t)4)
#define FOUR_BYTES sizeof(four)

static four embedding_swapped(four bits)
{
	return bits << 24 | (bits & 0xff00) << 8 | (bits >> 8 & 0xff00) | bits >> 24;
}

static four embedding_get_four(const struct datum *floats, uint32_t i)
{
	four bits;
	memcpy(&bits, floats->text + (size_t)i * sizeof(uint32_t), FOUR_BYTES);
#if __BYTE_ORDER == __BIG_ENDIAN
	bits = embedding_swapped(bits);
#endif
	return bits & (four)(bits != FLOAT_SIGN);
}

static void embedding_put_four(char *at, four bits)
{
#if __BYTE_ORDER == __LITTLE_ENDIAN
	bits = embedding_swapped(bits);
#endif
	memcpy(at, &bits, FOUR_BYTES);
}

static void embedding_set_float(char *bytes, uint32_t i, float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof(bits));
	bits = htole32(bits);
	memcpy(bytes + (size_t)i * sizeof(bits), &bits, sizeof(bits));
}

/* ---------------------------------------------------------------- checks */

/* A client whose schema declares integers sends an array of datums. */
static struct datum embedding_as_floats(struct arena *arena, const struct datum *values)
{
	if (values->kind == DATUM_FLOATS)
		return *values;
	char *bytes = arena_calloc(arena, values->size, sizeof(float));
	for (uint32_t i = 0; i < values->size; i++)
		embedding_set_float(bytes, i, (float)values->items[i].real);
	return datum_floats(bytes, values->size);
}

static bool embedding_all_finite(const struct datum *floats)
{
	four odd = { 0 };
	uint32_t i = 0;

	for (; floats->size - i >= FOUR; i += FOUR)
		odd |= (four)((embedding_get_four(floats, i) & FLOAT_EXPONENT) == FLOAT_EXPONENT);
	bool finite = !(odd[0] | odd[1] | odd[2] | odd[3]);
	for (; i < floats->size; i++)
		finite &= (embedding_bits(floats, i) & FLOAT_EXPONENT) != FLOAT_EXPONENT;
	return finite;
}

bool vectors_embedding_read(struct context *ctx, struct call *call, const struct datum *values,
	const char *name, struct datum *out)
{
	*out = embedding_as_floats(ctx->arena, values);
	if (out->size && embedding_all_finite(out))
		return true;
	call_fail(ctx, call, FAILURE_INVALID, "INVALID_VECTOR", NULL,
		out->size ? "%s must be an array of finite numbers" : "%s must not be empty", name);
	return false;
}

static bool embedding_dimension_fits(struct context *ctx, struct call *call,
	const struct vectors_index *index, uint32_t dimension)
{
	bool dense = index->type == VECTORS_VECTOR || index->type == VECTORS_HALFVEC;

	if (index->dimension > 0 && dimension != (uint32_t)index->dimension) {
		call_fail(ctx, call, FAILURE_INVALID, "DIMENSION_MISMATCH",
			arena_printf(ctx->arena,
				"{\"indexName\":\"%.*s\",\"expected\":%d,\"actual\":%u}",
				(int)index->name.size, index->name.text, index->dimension,
				dimension),
			"Vector dimension mismatch: index \"%.*s\" expects %d dimensions but got %u "
			"dimensions. Use a matching embedding model, or delete the index and create it "
			"with the new dimension",
			(int)index->name.size, index->name.text, index->dimension, dimension);
		return false;
	}
	if (!dense || dimension <= DENSE_DIMENSIONS_MAXIMUM)
		return true;
	call_fail(ctx, call, FAILURE_INVALID, "INVALID_VECTOR", NULL,
		"a %s has up to %d dimensions, not %u", vectors_type_names[index->type],
		DENSE_DIMENSIONS_MAXIMUM, dimension);
	return false;
}

static uint32_t embedding_count_nonzero(const struct datum *floats)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < floats->size; i++)
		count += embedding_bits(floats, i) != 0;
	return count;
}

bool vectors_embedding_fits(struct context *ctx, struct call *call,
	const struct vectors_index *index, const struct datum *floats)
{
	if (!embedding_dimension_fits(ctx, call, index, floats->size))
		return false;
	if (index->type == VECTORS_SPARSEVEC &&
		embedding_count_nonzero(floats) > SPARSE_ELEMENTS_MAXIMUM) {
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_VECTOR", NULL,
			"a sparsevec has up to %d numbers that are not zero",
			SPARSE_ELEMENTS_MAXIMUM);
		return false;
	}
	for (uint32_t i = 0; index->type == VECTORS_HALFVEC && i < floats->size; i++) {
		if (fabsf(datum_float(floats, i)) < HALF_OVERFLOW)
			continue;
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_VECTOR", NULL,
			"%g is out of range for the type halfvec", (double)datum_float(floats, i));
		return false;
	}
	return true;
}

/* ---------------------------------------------------------------- to the database */

static size_t embedding_encoded_size(enum vectors_type type, const struct datum *floats)
{
	switch (type) {
	case VECTORS_VECTOR:
		return DENSE_HEADER + sizeof(float) * (size_t)floats->size;
	case VECTORS_HALFVEC:
		return DENSE_HEADER + sizeof(uint16_t) * (size_t)floats->size;
	case VECTORS_BIT:
		return BIT_HEADER + ((size_t)floats->size + 7) / 8;
	case VECTORS_SPARSEVEC:
		break;
	}
	return SPARSE_HEADER + 8 * (size_t)embedding_count_nonzero(floats);
}

static char *embedding_put_dense_header(char *bytes, const struct datum *floats)
{
	embedding_put16(bytes, (uint16_t)floats->size);
	embedding_put16(bytes + 2, 0);
	return bytes + DENSE_HEADER;
}

static void embedding_encode_vector(char *bytes, const struct datum *floats)
{
	uint32_t i = 0;

	bytes = embedding_put_dense_header(bytes, floats);
	for (; floats->size - i >= FOUR; i += FOUR)
		embedding_put_four(bytes + sizeof(float) * i, embedding_get_four(floats, i));
	for (; i < floats->size; i++)
		embedding_put32(bytes + sizeof(float) * i, embedding_bits(floats, i));
}

static void embedding_encode_halves(char *bytes, const struct datum *floats)
{
	bytes = embedding_put_dense_header(bytes, floats);
	for (uint32_t i = 0; i < floats->size; i++)
		embedding_put16(bytes + sizeof(uint16_t) * i,
			embedding_half(datum_float(floats, i)));
}

static void embedding_encode_sparse(char *bytes, const struct datum *floats)
{
	uint32_t count = embedding_count_nonzero(floats);
	char *index = bytes + SPARSE_HEADER, *value = index + 4 * (size_t)count;

	embedding_put32(bytes, floats->size);
	embedding_put32(bytes + 4, count);
	embedding_put32(bytes + 8, 0);
	for (uint32_t i = 0; i < floats->size; i++) {
		uint32_t bits = embedding_bits(floats, i);
		if (!bits)
			continue;
		embedding_put32(index, i);
		embedding_put32(value, bits);
		index += 4;
		value += 4;
	}
}

static void embedding_encode_bits(char *bytes, const struct datum *floats)
{
	embedding_put32(bytes, floats->size);
	bytes += BIT_HEADER;
	memset(bytes, 0, ((size_t)floats->size + 7) / 8);
	for (uint32_t i = 0; i < floats->size; i++)
		if (embedding_bits(floats, i))
			bytes[i / 8] |= (char)(0x80 >> i % 8);
}

static void embedding_encode(char *bytes, enum vectors_type type, const struct datum *floats)
{
	if (type == VECTORS_BIT)
		embedding_encode_bits(bytes, floats);
	else if (type == VECTORS_SPARSEVEC)
		embedding_encode_sparse(bytes, floats);
	else if (type == VECTORS_HALFVEC)
		embedding_encode_halves(bytes, floats);
	else
		embedding_encode_vector(bytes, floats);
}

void vectors_embedding_bind(struct params *params, enum vectors_type type,
	const struct datum *floats)
{
	embedding_encode(params_room(params, embedding_encoded_size(type, floats)), type, floats);
}

void vectors_embedding_bind_element(struct params *params, int array, enum vectors_type type,
	const struct datum *floats)
{
	embedding_encode(array_room(params, array, embedding_encoded_size(type, floats)), type,
		floats);
}

/* ---------------------------------------------------------------- from the database */

static struct datum embedding_decode_dense(struct arena *arena, const char *bytes, size_t len,
	bool half)
{
	size_t width = half ? sizeof(uint16_t) : sizeof(float);
	uint32_t count = len < DENSE_HEADER ? 0 : embedding_get16(bytes);

	if (!count || len != DENSE_HEADER + width * count)
		return datum_null();
	char *floats = arena_calloc(arena, count, sizeof(float));
	for (uint32_t i = 0; i < count; i++) {
		const char *at = bytes + DENSE_HEADER + width * i;
		embedding_set_float(floats, i,
			half ? embedding_float(embedding_get16(at)) : embedding_get_float(at));
	}
	return datum_floats(floats, count);
}

static struct datum embedding_decode_sparse(struct arena *arena, const char *bytes, size_t len)
{
	uint32_t dimension = len < SPARSE_HEADER ? 0 : embedding_get32(bytes);
	uint32_t count = dimension ? embedding_get32(bytes + 4) : 0;

	if (!dimension || len != SPARSE_HEADER + 8 * (size_t)count)
		return datum_null();
	char *floats = arena_calloc(arena, dimension, sizeof(float));
	const char *indexes = bytes + SPARSE_HEADER, *values = indexes + 4 * (size_t)count;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t index = embedding_get32(indexes + 4 * (size_t)i);
		if (index < dimension)
			embedding_set_float(floats, index,
				embedding_get_float(values + 4 * (size_t)i));
	}
	return datum_floats(floats, dimension);
}

static struct datum embedding_decode_bits(struct arena *arena, const char *bytes, size_t len)
{
	uint32_t count = len < BIT_HEADER ? 0 : embedding_get32(bytes);

	if (!count || len != BIT_HEADER + ((size_t)count + 7) / 8)
		return datum_null();
	char *floats = arena_calloc(arena, count, sizeof(float));
	for (uint32_t i = 0; i < count; i++)
		if ((unsigned char)bytes[BIT_HEADER + i / 8] >> (7 - i % 8) & 1)
			embedding_set_float(floats, i, 1);
	return datum_floats(floats, count);
}

struct datum vectors_embedding_decode(struct arena *arena, enum vectors_type type,
	const void *bytes, size_t len)
{
	if (type == VECTORS_BIT)
		return embedding_decode_bits(arena, bytes, len);
	if (type == VECTORS_SPARSEVEC)
		return embedding_decode_sparse(arena, bytes, len);
	return embedding_decode_dense(arena, bytes, len, type == VECTORS_HALFVEC);
}
