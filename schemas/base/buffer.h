/*
 * buffer.h - bytes that grow up to a maximum
 *
 * Appending beyond the maximum sets `failed` and changes nothing more: append freely, look once
 * before the bytes are used. A buffer is reused by buffer_clear, which keeps its memory.
 *
 * Not thread-safe. Allocation failure ends the process. The owner calls buffer_free.
 */
#ifndef SCHEMAS_BASE_BUFFER_H
#define SCHEMAS_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buffer {
	uint8_t *data; /* valid until the next append */
	size_t size;
	size_t capacity; /* at most the maximum */
	size_t maximum;
	bool failed; /* an append did not fit */
};

static inline struct buffer buffer_empty(size_t maximum)
{
	return (struct buffer){ .maximum = maximum };
}

void buffer_free(struct buffer *buffer);

/* Empty again and not failed. */
void buffer_clear(struct buffer *buffer);

/* What buffer_extend does when there is no room. */
uint8_t *buffer_grow(struct buffer *buffer, size_t size);

/* Room for `size` bytes at the end, counted as appended; NULL if they don't fit. */
static inline uint8_t *buffer_extend(struct buffer *buffer, size_t size)
{
	if (buffer->failed || size >= buffer->capacity - buffer->size)
		return buffer_grow(buffer, size);
	uint8_t *room = buffer->data + buffer->size;
	buffer->size += size;
	return room;
}

static inline void buffer_add(struct buffer *buffer, const void *bytes, size_t size)
{
	uint8_t *room = buffer_extend(buffer, size);
	if (room && size)
		memcpy(room, bytes, size);
}

static inline void buffer_add_byte(struct buffer *buffer, uint8_t byte)
{
	uint8_t *room = buffer_extend(buffer, 1);
	if (room)
		*room = byte;
}

static inline void buffer_add_string(struct buffer *buffer, const char *string)
{
	buffer_add(buffer, string, strlen(string));
}

#endif
