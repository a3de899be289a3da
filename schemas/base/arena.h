/*
 * arena.h - memory that lives as long as one batch
 *
 * Everything decoded or built for a batch is taken from its arena and given back at once by
 * arena_reset(). Blocks are kept for the next batch up to a bound, so a busy worker does not
 * go to malloc for each command.
 *
 * Not thread-safe: one arena belongs to one thread at a time.
 * Allocation failure ends the process (nothing acknowledged is lost by that: see design).
 */
#ifndef SCHEMAS_BASE_ARENA_H
#define SCHEMAS_BASE_ARENA_H

#include <stddef.h>

struct arena;

/* Makes an arena that keeps at most `keep` bytes of blocks over a reset. Free with arena_free. */
struct arena *arena_new(size_t keep);
/* The same with blocks of `block` bytes instead of 64 KiB: for many small arenas at once. */
struct arena *arena_new_sized(size_t keep, size_t block);
void arena_free(struct arena *arena);

/* Gives back everything at once; pointers into the arena are dead afterwards. */
void arena_reset(struct arena *arena);

/* ... and keeps nothing. */
void arena_trim(struct arena *arena);

/* `size` bytes aligned for any type, not cleared; never NULL. */
void *arena_alloc(struct arena *arena, size_t size);

/* The same, cleared. `count * size` must not overflow: ends the process if it does. */
void *arena_calloc(struct arena *arena, size_t count, size_t size);

/* A copy of `len` bytes with a NUL behind it. */
char *arena_copy(struct arena *arena, const char *bytes, size_t len);

/* printf into the arena. */
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *arena);

#endif
