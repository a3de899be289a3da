/* new_rows.c - see new_rows.h */
#include "handlers/new_rows.h"

#include <stdlib.h>

#include "handlers/notes.h"
#include "schemas/allocate.h"

/* For fewer it is not worth a failed statement, for which somebody may wait. */
#define ROWS_MIN 32
/* Statements in a row whose rows were all new, before the next one's are expected to be: where some
 * fail again and again it becomes more. */
#define STREAK_MIN 1
#define STREAK_MAX 4096
#define STREAK_GROWTH 4

struct seen {
	unsigned streak; /* statements whose rows were new, with no other since */
	unsigned needed;
	bool open; /* a statement expected new rows, and none of the table's is done since */
};

/* Beside the notes of others on the same name, which holds no space. */
static struct datum key_of(struct turn *turn, struct datum table)
{
	const char *key = arena_printf(turn->arena, "new rows of %.*s", (int)table.size, table.text);
	return datum_string(key);
}

static struct seen *look_up(struct turn *turn, struct datum table)
{
	struct datum key = key_of(turn, table);
	struct seen *seen = notes_find(turn->notes, key.text, key.size);

	if (seen)
		return seen;
	seen = allocate(sizeof(*seen));
	*seen = (struct seen){ .needed = STREAK_MIN };
	notes_put(turn->notes, key.text, key.size, seen, free);
	return seen;
}

/* Some statement failed, and this table's has not come back. */
static void failed(struct seen *seen)
{
	seen->open = false;
	seen->streak = 0;
	seen->needed = seen->needed < STREAK_MAX / STREAK_GROWTH ? seen->needed * STREAK_GROWTH : STREAK_MAX;
}

bool new_rows_expected(struct turn *turn, struct datum table, uint32_t count)
{
	if (count < ROWS_MIN)
		return false;
	struct seen *seen = look_up(turn, table);
	if (!turn_guess(turn)) {
		if (seen->open)
			failed(seen);
		return false;
	}
	if (seen->streak < seen->needed)
		return false;
	seen->open = true;
	return true;
}

void new_rows_seen(struct turn *turn, struct datum table, uint32_t count, bool all_new)
{
	if (count < ROWS_MIN)
		return;
	struct seen *seen = look_up(turn, table);
	if (seen->open && seen->needed > STREAK_MIN)
		seen->needed--;
	seen->open = false;
	seen->streak = !all_new ? 0 : seen->streak < STREAK_MAX ? seen->streak + 1 : STREAK_MAX;
}
