/*
 * alloc.c - memory that is there or the process ends
 */
#define _GNU_SOURCE /* vasprintf */
#include "worker/alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "schemas/allocate.h"

void *alloc_zero(size_t count, size_t size)
{
	size_t total = allocate_product(count ? count : 1, size);

	return memset(allocate(total), 0, total);
}

void *alloc_grow(void *old, size_t count, size_t size)
{
	return allocate_again(old, allocate_product(count ? count : 1, size));
}

char *alloc_copy(const char *text)
{
	return text ? alloc_bytes(text, strlen(text)) : NULL;
}

char *alloc_bytes(const void *bytes, size_t size)
{
	char *copy = allocate(size + 1);

	if (size)
		memcpy(copy, bytes, size);
	copy[size] = '\0';
	return copy;
}

char *alloc_printf(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = allocate(SIZE_MAX); /* does not return */
	va_end(args);
	return text;
}
