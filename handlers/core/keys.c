/* keys.c - the hash table of distinct keys, and their order */
#include "handlers/core/keys.h"

#include <stdlib.h>
#include <string.h>

#include "schemas/base/siphash.h"

struct keys {
	struct arena *arena;
	struct siphash_seed seed;
	struct datum *texts; /* by number */
	uint32_t count;
	uint32_t room;   /* of texts; there are twice as many slots */
	uint32_t *slots; /* a number plus one; 0: free */
};

/* The slot that holds the text, or the free slot where it would go. */
static uint32_t *keys_find_slot(const struct keys *keys, const struct datum *text)
{
	uint32_t mask = 2 * keys->room - 1;
	uint32_t at = (uint32_t)siphash(keys->seed, text->text, text->size) & mask;

	while (keys->slots[at] && !datum_equals(&keys->texts[keys->slots[at] - 1], text))
		at = (at + 1) & mask;
	return &keys->slots[at];
}

static void keys_set_room(struct keys *keys, uint32_t room)
{
	struct datum *texts = arena_calloc(keys->arena, room, sizeof(*texts));

	if (keys->count)
		memcpy(texts, keys->texts, keys->count * sizeof(*texts));
	keys->texts = texts;
	keys->room = room;
	keys->slots = arena_calloc(keys->arena, 2 * (size_t)room, sizeof(*keys->slots));
	for (uint32_t i = 0; i < keys->count; i++)
		*keys_find_slot(keys, &texts[i]) = i + 1;
}

struct keys *keys_new(struct arena *arena, uint32_t expected)
{
	struct keys *keys = arena_calloc(arena, 1, sizeof(*keys));
	uint32_t room = 8;

	while (room < expected && room < UINT32_C(1) << 30)
		room *= 2;
	keys->arena = arena;
	keys->seed = siphash_seed();
	keys_set_room(keys, room);
	return keys;
}

uint32_t keys_add(struct keys *keys, const struct datum *text)
{
	if (keys->count == keys->room)
		keys_set_room(keys, 2 * keys->room);
	uint32_t *slot = keys_find_slot(keys, text);
	if (!*slot) {
		keys->texts[keys->count++] = *text;
		*slot = keys->count;
	}
	return *slot - 1;
}

uint32_t keys_find(const struct keys *keys, const struct datum *text)
{
	uint32_t number = *keys_find_slot(keys, text);
	return number ? number - 1 : KEYS_NONE;
}

uint32_t keys_count(const struct keys *keys)
{
	return keys->count;
}

const struct datum *keys_text(const struct keys *keys, uint32_t number)
{
	return &keys->texts[number];
}

struct numbered {
	const struct datum *text;
	uint32_t number;
};

static int keys_compare(const void *a, const void *b)
{
	const struct datum *one = ((const struct numbered *)a)->text;
	const struct datum *two = ((const struct numbered *)b)->text;
	uint32_t shorter = one->size < two->size ? one->size : two->size;
	int order = shorter ? memcmp(one->text, two->text, shorter) : 0;

	return order ? order : (one->size > two->size) - (one->size < two->size);
}

const uint32_t *keys_sorted(const struct keys *keys)
{
	size_t count = keys->count;
	struct numbered *sorted = arena_calloc(keys->arena, count + 1, sizeof(*sorted));
	uint32_t *numbers = arena_calloc(keys->arena, count + 1, sizeof(*numbers));

	for (uint32_t i = 0; i < count; i++)
		sorted[i] = (struct numbered){ &keys->texts[i], i };
	qsort(sorted, count, sizeof(*sorted), keys_compare);
	for (size_t i = 0; i < count; i++)
		numbers[i] = sorted[i].number;
	return numbers;
}
