/*
 * keys.h - the distinct keys of a folded turn
 *
 * A folded statement must not touch a row twice and must take its locks in the same order in
 * every worker: each key gets a number when it is first seen, and keys_sorted() gives the
 * numbers in byte order of the keys. An open-addressing table in the arena; keys point to the
 * texts they were made from.
 */
#ifndef HANDLERS_CORE_KEYS_H
#define HANDLERS_CORE_KEYS_H

#include <stdint.h>

#include "schemas/base/arena.h"
#include "schemas/base/datum.h"

struct keys;

#define KEYS_NONE UINT32_MAX

/* Room for `expected` keys; grows beyond that. */
struct keys *keys_new(struct arena *arena, uint32_t expected);

/* The key's number; it is added if it is new (then its number is the old keys_count()). */
uint32_t keys_add(struct keys *keys, const struct datum *text);
/* The key's number, KEYS_NONE if it is not there. */
uint32_t keys_find(const struct keys *keys, const struct datum *text);

uint32_t keys_count(const struct keys *keys);
const struct datum *keys_text(const struct keys *keys, uint32_t number);

/* All numbers in byte order of their keys; lives in the arena. */
const uint32_t *keys_sorted(const struct keys *keys);

#endif
