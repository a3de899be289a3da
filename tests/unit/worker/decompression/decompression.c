/* zlib, lz4 and zstd as librdkafka calls them: what becomes larger than the limit is refused. */
#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#include "worker/decompression/decompression.h"

#define LIMIT ((size_t)1024 * 1024)

/* Of lz4frame.h and zstd.h, whose libraries librdkafka brings along. */
size_t LZ4F_compressFrameBound(size_t size, const void *options);
size_t LZ4F_compressFrame(void *to, size_t capacity, const void *from, size_t size,
	const void *options);
size_t LZ4F_createDecompressionContext(void **context, unsigned version);
size_t LZ4F_freeDecompressionContext(void *context);
size_t LZ4F_decompress(void *context, void *to, size_t *to_size, const void *from,
	size_t *from_size, const void *options);
unsigned LZ4F_isError(size_t code);
size_t ZSTD_compress(void *to, size_t capacity, const void *from, size_t size, int level);
size_t ZSTD_decompress(void *to, size_t capacity, const void *from, size_t size);
unsigned ZSTD_isError(size_t code);

/* Each compresses `size` zeros and returns what they become again; 0: refused. */

static size_t by_zlib(const void *zeros, size_t size, void *to)
{
	uLongf packed = compressBound(size);
	Bytef *between = malloc(packed);
	compress(between, &packed, zeros, size);
	z_stream stream = { .next_in = between, .avail_in = (uInt)packed };
	inflateInit(&stream);
	int result = Z_OK;
	for (stream.next_out = to; result == Z_OK;) {
		stream.avail_out = 4096;
		result = inflate(&stream, Z_NO_FLUSH);
	}
	size_t got = result == Z_STREAM_END ? stream.total_out : 0;
	inflateEnd(&stream);
	free(between);
	return got;
}

static size_t by_lz4(const void *zeros, size_t size, void *to)
{
	size_t capacity = LZ4F_compressFrameBound(size, NULL), got = 0, at = 0, left = 1;
	char *between = malloc(capacity);
	size_t packed = LZ4F_compressFrame(between, capacity, zeros, size, NULL);
	void *context;
	LZ4F_createDecompressionContext(&context, 100);
	while (left && !LZ4F_isError(left)) {
		size_t out = 4 * LIMIT - got, in = packed - at;
		left = LZ4F_decompress(context, (char *)to + got, &out, between + at, &in, NULL);
		got += out;
		at += in;
	}
	LZ4F_freeDecompressionContext(context);
	free(between);
	return LZ4F_isError(left) ? 0 : got;
}

static size_t by_zstd(const void *zeros, size_t size, void *to)
{
	char *between = malloc(size + 1024);
	size_t packed = ZSTD_compress(between, size + 1024, zeros, size, 1);
	size_t got = ZSTD_decompress(to, 4 * LIMIT, between, packed);
	free(between);
	return ZSTD_isError(got) ? 0 : got;
}

static void check(size_t (*codec)(const void *, size_t, void *))
{
	void *zeros = calloc(4, LIMIT), *to = malloc(4 * LIMIT);
	decompression_limit(LIMIT);
	cr_expect_eq(codec(zeros, LIMIT, to), LIMIT);
	cr_expect_eq(codec(zeros, 3 * LIMIT, to), 0);
	cr_expect_eq(codec(zeros, LIMIT - 1, to), LIMIT - 1,
		"a refused batch leaves nothing behind");
	decompression_limit(SIZE_MAX);
	cr_expect_eq(codec(zeros, 3 * LIMIT, to), 3 * LIMIT);
	free(zeros);
	free(to);
}

Test(decompression, zlib)
{
	check(by_zlib);
}

Test(decompression, lz4)
{
	check(by_lz4);
}

Test(decompression, zstd)
{
	check(by_zstd);
}
