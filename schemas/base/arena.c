/*
 * arena.c - memory that lives as long as one batch
 *
 * An arena is a list of blocks, which are filled one after the other. A build with
 * AddressSanitizer poisons all bytes that are not allocated, and leaves a gap after each
 * allocation. So it detects overruns and uses after a reset, as with malloc.
 */
#include "schemas/base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "schemas/base/allowance.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(ARENA_ASAN)
#include <sanitizer/asan_interface.h>
#define ARENA_GAP 16
#define ARENA_CLOSE(memory, size) ASAN_POISON_MEMORY_REGION(memory, size)
#define ARENA_OPEN(memory, size) ASAN_UNPOISON_MEMORY_REGION(memory, size)
#else
#define ARENA_GAP 0
#define ARENA_CLOSE(memory, size) ((void)(memory), (void)(size))
#define ARENA_OPEN(memory, size) ((void)(memory), (void)(size))
#endif

#define BLOCK_SIZE ((size_t)64 * 1024)
#define ALIGNMENT alignof(max_align_t)

struct block {
	struct block *next;
	size_t size; /* bytes of data */
	alignas(max_align_t) char data[];
};

struct arena {
	struct block *first;
	struct block *current; /* the blocks after it are empty */
	size_t filled;         /* bytes allocated from current */
	size_t used;
	size_t keep;
	size_t block_size;
	struct allowance *allowance; /* NULL: none */
};

/* No memory for `size` bytes: ends the work, or the process. */
static _Noreturn void arena_end(const struct arena *arena, const char *reason)
{
	if (arena->allowance)
		allowance_end(arena->allowance);
	alloc_end(reason);
}

/* Makes the next block current, and inserts one first if the next has less than `size` bytes. */
static void add_block(struct arena *arena, size_t size)
{
	struct block *behind = arena->current ? arena->current->next : arena->first;
	if (!behind || behind->size < size) {
		struct block *block;
		size_t room = size > arena->block_size ? size : arena->block_size;
		block = room > SIZE_MAX - sizeof(*block) ? NULL : malloc(sizeof(*block) + room);
		if (!block)
			arena_end(arena, "out of memory");
		block->next = behind;
		block->size = room;
		ARENA_CLOSE(block->data, room);
		if (arena->current)
			arena->current->next = block;
		else
			arena->first = block;
		behind = block;
	}
	arena->current = behind;
	arena->filled = 0;
}

struct arena *arena_new(size_t keep)
{
	return arena_new_sized(keep, BLOCK_SIZE);
}

struct arena *arena_new_sized(size_t keep, size_t block)
{
	struct arena *arena = allocate(sizeof(*arena));
	*arena = (struct arena){ .keep = keep, .block_size = block };
	return arena;
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	arena_trim(arena);
	free(arena);
}

void arena_trim(struct arena *arena)
{
	size_t keep = arena->keep;
	arena->keep = 0;
	arena_reset(arena);
	arena->keep = keep;
}

void arena_reset(struct arena *arena)
{
	size_t kept = 0;
	struct block **link = &arena->first;
	while (*link) {
		struct block *block = *link;
		if (block->size <= arena->keep - kept) {
			kept += block->size;
			ARENA_CLOSE(block->data, block->size);
			link = &block->next;
		} else {
			*link = block->next;
			ARENA_OPEN(block->data, block->size);
			free(block);
		}
	}
	arena->current = arena->first;
	arena->filled = 0;
	arena->used = 0;
}

struct allowance *arena_charge(struct arena *arena, struct allowance *allowance)
{
	struct allowance *before = arena->allowance;
	arena->allowance = allowance;
	return before;
}

struct arena_mark arena_mark(const struct arena *arena)
{
	return (struct arena_mark){ arena->current, arena->filled, arena->used,
		arena->allowance ? arena->allowance->used : 0 };
}

/* Closes the blocks from *link on, and frees those that one large piece has made: the next large piece
 * may not fit in them. */
static void arena_drop_larger(const struct arena *arena, struct block **link)
{
	while (*link) {
		struct block *block = *link;
		if (block->size > arena->block_size) {
			*link = block->next;
			ARENA_OPEN(block->data, block->size);
			free(block);
		} else {
			ARENA_CLOSE(block->data, block->size);
			link = &block->next;
		}
	}
}

void arena_rewind(struct arena *arena, struct arena_mark mark)
{
	struct block *block = mark.block ? mark.block : arena->first;
	if (block) {
		arena_drop_larger(arena, &block->next);
		ARENA_CLOSE(block->data + mark.filled, block->size - mark.filled);
	}
	arena->current = block;
	arena->filled = mark.filled;
	arena->used = mark.used;
	if (arena->allowance)
		allowance_give_back(arena->allowance, arena->allowance->used - mark.charged);
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t padded;
	if (__builtin_add_overflow(size, ARENA_GAP + ALIGNMENT - 1, &padded))
		arena_end(arena, "allocation size overflows");
	padded &= ~(ALIGNMENT - 1);
	if (arena->allowance)
		allowance_take(arena->allowance, padded);
	if (!arena->current || arena->current->size - arena->filled < padded)
		add_block(arena, padded);
	char *memory = arena->current->data + arena->filled;
	arena->filled += padded;
	arena->used += size;
	ARENA_OPEN(memory, size);
	return memory;
}

void *arena_calloc(struct arena *arena, size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes))
		arena_end(arena, "allocation size overflows");
	return memset(arena_alloc(arena, bytes), 0, bytes);
}

char *arena_copy(struct arena *arena, const char *bytes, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);
	if (len)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int len = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (len < 0)
		return arena_copy(arena, "", 0);
	char *text = arena_alloc(arena, (size_t)len + 1);
	va_start(arguments, format);
	vsnprintf(text, (size_t)len + 1, format, arguments);
	va_end(arguments);
	return text;
}

size_t arena_used(const struct arena *arena)
{
	return arena->used;
}
