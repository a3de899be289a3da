/*
 * buffer.h - bytes that grow in memory from malloc
 *
 * A zeroed struct is an empty buffer without a maximum. buffer_empty() sets a maximum: the first
 * append that exceeds it sets `failed`, and later appends do nothing. So append without checks and
 * test `failed` once, before you use the bytes. buffer_clear keeps the memory for the next use.
 *
 * text.h adds formatted text and SQL to a buffer. A JSON text that grows in an arena is struct
 * json_text (schemas/json/json.h).
 *
 * Not thread-safe. A failed allocation counts as beyond the maximum; without a maximum it ends the
 * process. The owner calls buffer_free.
 */
#ifndef SCHEMAS_BASE_BUFFER_H
#define SCHEMAS_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buffer {
	uint8_t *data; /* valid until the next append; NULL before the first */
	size_t size;
	size_t capacity; /* up to the maximum; the memory is one byte larger, for a NUL */
	size_t maximum;  /* 0: none */
	bool failed;     /* an append exceeded the maximum, or the memory */
};

static inline struct buffer buffer_empty(size_t maximum)
{
	return (struct buffer){ .maximum = maximum };
}

/* Frees the memory. The buffer is empty afterwards and keeps its maximum. */
void buffer_free(struct buffer *buffer);

/* Empties the buffer and resets `failed`. */
void buffer_clear(struct buffer *buffer);

/* The slow path of buffer_extend: allocates more memory first. */
uint8_t *buffer_grow(struct buffer *buffer, size_t size);

/* Appends `size` bytes for the caller to fill; NULL if they exceed the maximum. */
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

#endif
