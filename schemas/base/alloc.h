/*
 * alloc.h - malloc that never returns NULL
 *
 * A failed allocation writes a line to standard error and aborts the process. No state is lost:
 * after a restart, the worker processes again what it has not acknowledged.
 *
 * The caller owns the result and frees it with free(). Any thread may call these functions.
 */
#ifndef SCHEMAS_BASE_ALLOC_H
#define SCHEMAS_BASE_ALLOC_H

#include <stddef.h>

/* Writes the reason to standard error and aborts the process. */
_Noreturn void alloc_end(const char *reason);

/* Allocates `size` bytes, not cleared. Never returns NULL, even for 0 bytes. */
void *allocate(size_t size) __attribute__((malloc, returns_nonnull, warn_unused_result));

/* realloc(3). Never returns NULL. */
void *allocate_again(void *old, size_t size) __attribute__((returns_nonnull, warn_unused_result));

/* Returns count * size. An overflow aborts the process. */
size_t allocate_product(size_t count, size_t size);

/* Allocates cleared memory for `count` items. */
void *alloc_zero(size_t count, size_t size);
/* Resizes `old` (may be NULL) to `count` items. */
void *alloc_grow(void *old, size_t count, size_t size);
char *alloc_copy(const char *text);                /* of NULL returns NULL */
char *alloc_bytes(const void *bytes, size_t size); /* a copy, followed by a NUL */
char *alloc_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
