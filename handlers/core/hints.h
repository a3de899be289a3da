/*
 * hints.h - what handlers remember from one turn to the next: guesses that save a round trip
 *
 * Each executor has notes of its own. Nothing tells them when the database changes: whoever acts on
 * a note has it checked by the same statements that it saves time with. The oldest make room.
 *
 * Not thread-safe: the executor's thread alone.
 */
#ifndef HANDLERS_CORE_HINTS_H
#define HANDLERS_CORE_HINTS_H

#include <stddef.h>

struct hints;

struct hints *hints_new(void);
void hints_free(struct hints *hints);

/* The note under the key, or NULL; valid until the next hints_put or hints_drop. */
void *hints_find(const struct hints *hints, const void *key, size_t size);
/* Takes the note over, in place of one of that key; `release` frees it. */
void hints_put(struct hints *hints, const void *key, size_t size, void *hint,
	void (*release)(void *hint));
void hints_drop(struct hints *hints, const void *key, size_t size);

#endif
