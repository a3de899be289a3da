/*
 * alloc.h - memory from malloc that is always there
 *
 * Allocation failure ends the process with a line on standard error: what was not acknowledged
 * is taken up again after a restart, so there is nothing to save (design.md, "Numbers in C").
 * What is returned is the caller's, to be given back with free().
 */
#ifndef SCHEMAS_BASE_ALLOC_H
#define SCHEMAS_BASE_ALLOC_H

#include <stddef.h>

/* `size` bytes, not cleared; never NULL. */
void *allocate(size_t size) __attribute__((malloc, returns_nonnull, warn_unused_result));

/* realloc(3); never NULL. */
void *allocate_again(void *old, size_t size) __attribute__((returns_nonnull, warn_unused_result));

/* count * size; ends the process if that overflows. */
size_t allocate_product(size_t count, size_t size);

/* Cleared memory for `count` items. */
void *alloc_zero(size_t count, size_t size);
/* Room for `count` items; count * size is checked. */
void *alloc_grow(void *old, size_t count, size_t size);
char *alloc_copy(const char *text);                /* NULL stays NULL */
char *alloc_bytes(const void *bytes, size_t size); /* a copy with a NUL behind it */
char *alloc_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
