/*
 * alloc.c - malloc that never returns NULL
 */
#define _GNU_SOURCE /* vasprintf */
#include "schemas/base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void alloc_end(const char *reason)
{
	fprintf(stderr, "stowage: %s\n", reason);
	abort();
}

void *allocate(size_t size)
{
	return allocate_again(NULL, size);
}

void *allocate_again(void *old, size_t size)
{
	void *memory = realloc(old, size ? size : 1);
	if (!memory)
		alloc_end("out of memory");
	return memory;
}

size_t allocate_product(size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes))
		alloc_end("allocation size overflows");
	return bytes;
}

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
		alloc_end("out of memory");
	va_end(args);
	return text;
}
