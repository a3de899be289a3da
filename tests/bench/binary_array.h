/*
 * binary_array.h - a one-dimensional array in PostgreSQL's binary format, filled step by step
 */
#ifndef BINARY_ARRAY_H
#define BINARY_ARRAY_H

#include <stddef.h>
#include <stdint.h>

#define TEXT_OID 25

struct binary_array {
	char *bytes;
	size_t size, room;
	uint32_t items;
};

/* Empties the array; `type` is the OID of its elements' type. */
void binary_array_begin(struct binary_array *array, uint32_t type);
/* Appends an element of `size` bytes; the caller writes the bytes. */
char *binary_array_room(struct binary_array *array, size_t size);
void binary_array_put(struct binary_array *array, const void *bytes, size_t size);
void binary_array_put_text(struct binary_array *array, const char *text);
/* Call it after the last element: writes the number of elements. */
void binary_array_end(struct binary_array *array);

#endif
