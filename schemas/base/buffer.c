/*
 * buffer.c - bytes that grow in memory from malloc
 */
#include "schemas/base/buffer.h"

#include <stdlib.h>

#include "schemas/base/alloc.h"

/* With the byte for a NUL, the first block has 256 bytes, and each later block is twice as large. */
#define FIRST_CAPACITY 255
/* malloc gives no larger block. */
#define CAPACITY_MAXIMUM (SIZE_MAX / 2)

void buffer_free(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = buffer_empty(buffer->maximum);
}

void buffer_clear(struct buffer *buffer)
{
	buffer->size = 0;
	buffer->failed = false;
}

static size_t buffer_limit(const struct buffer *buffer)
{
	if (buffer->maximum == 0 || buffer->maximum > CAPACITY_MAXIMUM)
		return CAPACITY_MAXIMUM;
	return buffer->maximum;
}

static bool buffer_reallocate(struct buffer *buffer, size_t needed, size_t limit)
{
	size_t capacity = buffer->capacity ? buffer->capacity : FIRST_CAPACITY;
	while (capacity < needed)
		capacity = capacity * 2 + 1;
	if (capacity > limit)
		capacity = limit;
	/* Whoever sets a maximum looks at `failed`. */
	uint8_t *data = buffer->maximum ? realloc(buffer->data, capacity + 1)
					: allocate_again(buffer->data, capacity + 1);
	if (!data)
		return false;
	buffer->data = data;
	buffer->capacity = capacity;
	return true;
}

uint8_t *buffer_grow(struct buffer *buffer, size_t size)
{
	size_t limit = buffer_limit(buffer);
	if (buffer->failed || size > limit - buffer->size) {
		buffer->failed = true;
		return NULL;
	}
	if ((size > buffer->capacity - buffer->size || !buffer->data) &&
		!buffer_reallocate(buffer, buffer->size + size, limit)) {
		buffer->failed = true;
		return NULL;
	}
	uint8_t *room = buffer->data + buffer->size;
	buffer->size += size;
	return room;
}
