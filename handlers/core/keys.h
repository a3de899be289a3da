/*
 * keys.h - the distinct keys of folded calls, numbered
 *
 * Handlers of `fold` commands turn many calls into one statement, which must not name a row twice
 * and must lock rows in one order in every worker, or workers would deadlock. So a handler adds each
 * call's key here, keeps what it stores in an array indexed by the key's number, and binds the
 * rows in the order of keys_sorted(). memory_save_thread() is a short example.
 *
 * The set is an open-addressing hash table in the arena and ends with it. Its hash has a random seed,
 * because clients choose the keys. It copies each datum, but not the bytes of its text, which must stay
 * where they are. Not thread-safe.
 */
#ifndef HANDLERS_CORE_KEYS_H
#define HANDLERS_CORE_KEYS_H

#include <stdint.h>

#include "schemas/base/arena.h"
#include "schemas/base/datum.h"

struct keys;

#define KEYS_NONE UINT32_MAX

/* An empty set with room for `expected` keys; it grows beyond that. */
struct keys *keys_new(struct arena *arena, uint32_t expected);

/* Adds the text unless the set has it. Returns its number: 0 for the first key, 1 for the second
 * and so on. The key was new if the number equals keys_count() of before. */
uint32_t keys_add(struct keys *keys, const struct datum *text);

/* Returns the text's number, KEYS_NONE if the set does not have it. */
uint32_t keys_find(const struct keys *keys, const struct datum *text);

uint32_t keys_count(const struct keys *keys);
/* The result is valid until the next keys_add. */
const struct datum *keys_text(const struct keys *keys, uint32_t number);

/* All numbers, ordered by the bytes of their keys (COLLATE "C" in SQL); in the arena. */
const uint32_t *keys_sorted(const struct keys *keys);

#endif
