/*
 * allocate.c - memory from malloc that is always there
 */
#include "schemas/allocate.h"

#include <stdio.h>
#include <stdlib.h>

static _Noreturn void end(const char *reason)
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
		end("out of memory");
	return memory;
}

size_t allocate_product(size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes))
		end("allocation size overflows");
	return bytes;
}
