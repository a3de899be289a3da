/* notes.c - see notes.h */
#include "handlers/notes.h"

#include <stdlib.h>
#include <string.h>

#include "schemas/allocate.h"

#define NOTES_MAX 64

struct note {
	void *key;
	size_t size;
	void *value;
	void (*release)(void *value);
};

struct notes {
	struct note list[NOTES_MAX];
	size_t count;
	size_t oldest; /* the next to make room */
};

struct notes *notes_new(void)
{
	struct notes *notes = allocate(sizeof(*notes));
	notes->count = notes->oldest = 0;
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

/* Where a note of a new key goes. */
static struct note *make_room(struct notes *notes)
{
	if (notes->count < NOTES_MAX)
		return &notes->list[notes->count++];
	struct note *note = &notes->list[notes->oldest++ % NOTES_MAX];
	let_go(note);
	return note;
}

void notes_put(struct notes *notes, const void *key, size_t size, void *value,
	void (*release)(void *value))
{
	notes_drop(notes, key, size);
	struct note *note = make_room(notes);
	*note = (struct note){ .key = allocate(size + 1), .size = size, .value = value,
		.release = release };
	memcpy(note->key, key, size);
}

void notes_drop(struct notes *notes, const void *key, size_t size)
{
	size_t i = place_of(notes, key, size);
	if (i == notes->count)
		return;
	let_go(&notes->list[i]);
	notes->list[i] = notes->list[--notes->count];
}
