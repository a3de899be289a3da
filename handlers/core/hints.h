/*
 * hints.h - what handlers remember from one context to the next, to save a round trip
 *
 * A hint is a copy of something in the database, such as the columns of a vector table. Nobody
 * updates it when the database changes. So a handler that uses a hint must detect a stale one, by
 * statements of the same pipeline: either their result shows it, and the callback repeats the work,
 * or a statement fails, and the engine runs the batch again without hints. Handlers ask
 * context_use_hints() before each use.
 *
 * Each executor has its own hints (ctx->hints), which only its thread may use. They outlive batches,
 * so keys and values must not point into an arena. There are up to 64; a new one replaces the oldest.
 */
#ifndef HANDLERS_CORE_HINTS_H
#define HANDLERS_CORE_HINTS_H

#include <stddef.h>

struct hints;

/* For the engine. Free with hints_free(), which releases every hint; NULL is fine. */
struct hints *hints_new(void);
void hints_free(struct hints *hints);

/* Returns the hint of that key, or NULL. Valid until the next hints_put() or hints_drop(). */
void *hints_find(const struct hints *hints, const void *key, size_t size);

/* Stores the hint in place of any other of that key. The key is copied. The hint now belongs to
 * `hints`, which calls `release` once when it drops it. */
void hints_put(struct hints *hints, const void *key, size_t size, void *hint,
	void (*release)(void *hint));

/* Releases the hint of that key, if there is one. */
void hints_drop(struct hints *hints, const void *key, size_t size);

#endif
