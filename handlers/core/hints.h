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

struct notes;

struct notes *notes_new(void);
void notes_free(struct notes *notes);

/* The note under the key, or NULL; valid until the next notes_put or notes_drop. */
void *notes_find(const struct notes *notes, const void *key, size_t size);
/* Takes the note over, in place of one of that key; `release` frees it. */
void notes_put(struct notes *notes, const void *key, size_t size, void *note,
	void (*release)(void *note));
void notes_drop(struct notes *notes, const void *key, size_t size);

#endif
