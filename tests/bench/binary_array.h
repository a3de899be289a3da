/*
 * binary_array.h - a one-dimensional array in PostgreSQL's binary form, as it is filled
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

/* Empties it; `type` is its elements'. */
void binary_array_begin(struct binary_array *array, uint32_t type);
/* Appends an element's bytes, which the caller writes. */
char *binary_array_room(struct binary_array *array, size_t size);
void binary_array_put(struct binary_array *array, const void *bytes, size_t size);
void binary_array_put_text(struct binary_array *array, const char *text);
/* Needed once all elements are in. */
void binary_array_end(struct binary_array *array);

#endif
