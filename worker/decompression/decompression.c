/* decompression.c - the calls of zlib, lz4 and zstd that librdkafka makes, within a limit */
#include "worker/decompression/decompression.h"

#include <stdatomic.h>
#include <stdint.h>
#include <zlib.h>

static atomic_size_t decompression_most = SIZE_MAX;

void decompression_limit(size_t bytes)
{
	atomic_store(&decompression_most, bytes);
}

#ifdef DECOMPRESSION_WRAPPED
/* The names are the linker's: it sends calls of X to __wrap_X, and calls of __real_X to X. */

int __real_inflate(z_streamp stream, int flush);
int __wrap_inflate(z_streamp stream, int flush);
size_t __real_LZ4F_createDecompressionContext(void **context, unsigned version);
size_t __wrap_LZ4F_createDecompressionContext(void **context, unsigned version);
size_t __real_LZ4F_decompress(void *context, void *to, size_t *to_size, const void *from,
	size_t *from_size, const void *options);
size_t __wrap_LZ4F_decompress(void *context, void *to, size_t *to_size, const void *from,
	size_t *from_size, const void *options);
size_t __real_ZSTD_decompress(void *to, size_t capacity, const void *from, size_t size);
size_t __wrap_ZSTD_decompress(void *to, size_t capacity, const void *from, size_t size);

int __wrap_inflate(z_streamp stream, int flush)
{
	return stream->total_out < atomic_load(&decompression_most) ? __real_inflate(stream, flush)
								    : Z_MEM_ERROR;
}

/* What the lz4 frame in hand has become so far. librdkafka decompresses a frame at once. */
static _Thread_local size_t lz4_bytes;

size_t __wrap_LZ4F_createDecompressionContext(void **context, unsigned version)
{
	lz4_bytes = 0;
	return __real_LZ4F_createDecompressionContext(context, version);
}

size_t __wrap_LZ4F_decompress(void *context, void *to, size_t *to_size, const void *from,
	size_t *from_size, const void *options)
{
	size_t most = atomic_load(&decompression_most);
	if (lz4_bytes >= most)
		return (size_t)-1; /* LZ4F_ERROR_GENERIC */
	if (*to_size > most - lz4_bytes)
		*to_size = most - lz4_bytes;
	size_t left = __real_LZ4F_decompress(context, to, to_size, from, from_size, options);
	lz4_bytes += *to_size;
	return left;
}

/* librdkafka tries ever larger buffers, up to receive.message.max.bytes: none of them helps. */
size_t __wrap_ZSTD_decompress(void *to, size_t capacity, const void *from, size_t size)
{
	size_t most = atomic_load(&decompression_most);
	return __real_ZSTD_decompress(to, capacity < most ? capacity : most, from, size);
}
#endif
