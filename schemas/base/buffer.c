/*
 * buffer.c - bytes that grow up to a maximum
 */
#include "schemas/base/buffer.h"

#include <stdlib.h>

#include "schemas/base/alloc.h"

#define FIRST_CAPACITY 256

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

static void buffer_reallocate(struct buffer *buffer, size_t needed)
{
	size_t capacity = buffer->capacity ? buffer->capacity : FIRST_CAPACITY;
	while (capacity < needed)
		capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
	if (capacity > buffer->maximum)
		capacity = buffer->maximum;
	buffer->data = allocate_again(buffer->data, capacity);
	buffer->capacity = capacity;
}

uint8_t *buffer_grow(struct buffer *buffer, size_t size)
{
	if (buffer->failed || size > buffer->maximum - buffer->size) {
		buffer->failed = true;
		return NULL;
	}
	if (size > buffer->capacity - buffer->size || !buffer->data)
		buffer_reallocate(buffer, buffer->size + size);
	uint8_t *room = buffer->data + buffer->size;
	buffer->size += size;
	return room;
}
