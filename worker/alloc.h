/*
 * alloc.h - memory outside of batches: configuration, command line, client
 *
 * On schemas/allocate.h: allocation failure ends the process. What these return is freed with
 * free().
 */
#ifndef WORKER_ALLOC_H
#define WORKER_ALLOC_H

#include <stddef.h>

void *alloc_zero(size_t count, size_t size);
/* Room for `count` items; count * size is checked. */
void *alloc_grow(void *old, size_t count, size_t size);
char *alloc_copy(const char *text); /* NULL stays NULL */
char *alloc_bytes(const void *bytes, size_t size); /* a copy with a NUL behind it */
char *alloc_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
