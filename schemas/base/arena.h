/*
 * arena.h - memory that lives as long as one batch
 *
 * All data decoded or built for a batch is allocated from the batch's arena. arena_reset() frees
 * all of it at once. The arena keeps a limited number of bytes for the next batch, so a busy
 * worker seldom calls malloc.
 *
 * Not thread-safe: one arena belongs to one thread at a time.
 * A failed allocation ends the work whose allowance the arena is charged to (allowance.h), or, without one,
 * the process (alloc.h says why this loses nothing).
 */
#ifndef SCHEMAS_BASE_ARENA_H
#define SCHEMAS_BASE_ARENA_H

#include <stddef.h>

struct arena;
struct allowance;

/* Creates an arena that keeps up to `keep` bytes of blocks after a reset. Free it with arena_free. */
struct arena *arena_new(size_t keep);
/* The same with blocks of `block` bytes instead of 64 KiB: for many small arenas at once. */
struct arena *arena_new_sized(size_t keep, size_t block);
void arena_free(struct arena *arena);

/* Frees everything that was allocated. Pointers into the arena are invalid afterwards. */
void arena_reset(struct arena *arena);

/* The same, and returns all blocks to malloc. */
void arena_trim(struct arena *arena);

/* Until the next call, allocations count against this allowance (NULL: none), and one beyond it ends the
 * work of the allowance. Returns the allowance of before. */
struct allowance *arena_charge(struct arena *arena, struct allowance *allowance);

/* A place to rewind to. Rewinding frees what was allocated since, and no longer counts it. */
struct arena_mark {
	void *block;
	size_t filled, used, charged;
};
struct arena_mark arena_mark(const struct arena *arena);
void arena_rewind(struct arena *arena, struct arena_mark mark);

/* Allocates `size` bytes, aligned for any type, not cleared. Never returns NULL. */
void *arena_alloc(struct arena *arena, size_t size);

/* The same, cleared. If `count * size` overflows, the process ends. */
void *arena_calloc(struct arena *arena, size_t count, size_t size);

/* Copies `len` bytes and adds a NUL. */
char *arena_copy(struct arena *arena, const char *bytes, size_t len);

/* Formats a string in the arena. */
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Returns the number of bytes allocated since the last reset. */
size_t arena_used(const struct arena *arena);

#endif
