/* binary_array.c - fills a one-dimensional array in PostgreSQL's binary format */
#include "binary_array.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define FIRST_ROOM 65536
#define COUNT_OFFSET 12 /* where the number of elements stands */

static char *append(struct binary_array *array, size_t size)
{
	while (array->room < array->size + size) {
		array->room = array->room == 0 ? FIRST_ROOM : array->room * 2;
		array->bytes = realloc(array->bytes, array->room);
		if (array->bytes == NULL)
			die("out of memory");
	}
	array->size += size;
	return array->bytes + array->size - size;
}

static void append_u32(struct binary_array *array, uint32_t value)
{
	value = htobe32(value);
	memcpy(append(array, sizeof value), &value, sizeof value);
}

void binary_array_begin(struct binary_array *array, uint32_t type)
{
	array->size = 0;
	array->items = 0;
	append_u32(array, 1); /* dimensions */
	append_u32(array, 0); /* no nulls */
	append_u32(array, type);
	append_u32(array, 0); /* number of elements: binary_array_end writes it */
	append_u32(array, 1); /* lower bound */
}

char *binary_array_room(struct binary_array *array, size_t size)
{
	append_u32(array, (uint32_t)size);
	array->items++;
	return append(array, size);
}

void binary_array_put(struct binary_array *array, const void *bytes, size_t size)
{
	memcpy(binary_array_room(array, size), bytes, size);
}

void binary_array_put_text(struct binary_array *array, const char *text)
{
	binary_array_put(array, text, strlen(text));
}

void binary_array_end(struct binary_array *array)
{
	uint32_t items = htobe32(array->items);

	memcpy(array->bytes + COUNT_OFFSET, &items, sizeof items);
}
