/* hints.c - an executor's hints: a short list, searched from its start */
#include "handlers/core/hints.h"

#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"

#define HINTS_MAX 64

struct hint {
	void *key;
	size_t size;
	void *value;
	void (*release)(void *value);
};

struct hints {
	struct hint list[HINTS_MAX]; /* oldest first */
	size_t count;
};

struct hints *hints_new(void)
{
	struct hints *hints = allocate(sizeof(*hints));
	hints->count = 0;
	return hints;
}

static void hints_release(struct hint *hint)
{
	hint->release(hint->value);
	free(hint->key);
}

void hints_free(struct hints *hints)
{
	if (!hints)
		return;
	for (size_t i = 0; i < hints->count; i++)
		hints_release(&hints->list[i]);
	free(hints);
}

/* Index of the key's hint; `count` if the key has none. */
static size_t hints_place_of(const struct hints *hints, const void *key, size_t size)
{
	size_t i = 0;
	while (i < hints->count &&
		(hints->list[i].size != size || memcmp(hints->list[i].key, key, size) != 0))
		i++;
	return i;
}

void *hints_find(const struct hints *hints, const void *key, size_t size)
{
	size_t i = hints_place_of(hints, key, size);
	return i < hints->count ? hints->list[i].value : NULL;
}

static void hints_drop_at(struct hints *hints, size_t place)
{
	struct hint *hint = &hints->list[place];
	hints_release(hint);
	memmove(hint, hint + 1, (--hints->count - place) * sizeof(*hint));
}

void hints_put(struct hints *hints, const void *key, size_t size, void *value,
	void (*release)(void *value))
{
	hints_drop(hints, key, size);
	if (hints->count == HINTS_MAX)
		hints_drop_at(hints, 0);
	struct hint *hint = &hints->list[hints->count++];
	*hint = (struct hint){
		.key = allocate(size + 1), .size = size, .value = value, .release = release
	};
	memcpy(hint->key, key, size);
}

void hints_drop(struct hints *hints, const void *key, size_t size)
{
	size_t place = hints_place_of(hints, key, size);
	if (place < hints->count)
		hints_drop_at(hints, place);
}
