/* hints.c - see hints.h */
#include "handlers/core/hints.h"

#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"

#define NOTES_MAX 64

struct note {
	void *key;
	size_t size;
	void *value;
	void (*release)(void *value);
};

struct notes {
	struct note list[NOTES_MAX]; /* the oldest first */
	size_t count;
};

struct notes *notes_new(void)
{
	struct notes *notes = allocate(sizeof(*notes));
	notes->count = 0;
	return notes;
}

static void let_go(struct note *note)
{
	note->release(note->value);
	free(note->key);
}

void notes_free(struct notes *notes)
{
	if (!notes)
		return;
	for (size_t i = 0; i < notes->count; i++)
		let_go(&notes->list[i]);
	free(notes);
}

static size_t place_of(const struct notes *notes, const void *key, size_t size)
{
	size_t i = 0;
	while (i < notes->count &&
		(notes->list[i].size != size || memcmp(notes->list[i].key, key, size) != 0))
		i++;
	return i;
}

void *notes_find(const struct notes *notes, const void *key, size_t size)
{
	size_t i = place_of(notes, key, size);
	return i < notes->count ? notes->list[i].value : NULL;
}

static void drop(struct notes *notes, size_t place)
{
	struct note *note = &notes->list[place];
	let_go(note);
	memmove(note, note + 1, (--notes->count - place) * sizeof(*note));
}

void notes_put(struct notes *notes, const void *key, size_t size, void *value,
	void (*release)(void *value))
{
	notes_drop(notes, key, size);
	if (notes->count == NOTES_MAX)
		drop(notes, 0);
	struct note *note = &notes->list[notes->count++];
	*note = (struct note){
		.key = allocate(size + 1), .size = size, .value = value, .release = release
	};
	memcpy(note->key, key, size);
}

void notes_drop(struct notes *notes, const void *key, size_t size)
{
	size_t place = place_of(notes, key, size);
	if (place < notes->count)
		drop(notes, place);
}
