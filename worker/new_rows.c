/* new_rows.c - see new_rows.h */
#include "handlers/new_rows.h"

#include <stdlib.h>

#include "handlers/notes.h"
#include "schemas/allocate.h"

/* For fewer it is not worth a failed batch, for which somebody may wait. */
#define ROWS_MIN 32
/* Keys that are there come in swarms (what was sent before is sent again), and some tables get little
 * else. A failure costs a few statements, and each that does not fail spares a twentieth of one. */
#define REST_MIN 100
#define REST_MAX 6400
#define REST_GROWTH 4

struct expectation {
	uint64_t batch;      /* the last in which rows were expected to be new; 0: none */
	unsigned rest;       /* statements that are not to expect it */
	unsigned after_next; /* ... when the next one fails */
	unsigned held;       /* batches in a row that did not fail */
};

/* Beside the notes of others on the same name, which holds no space. */
static struct datum key_of(struct turn *turn, struct datum table)
{
	const char *key = arena_printf(turn->arena, "new rows of %.*s", (int)table.size, table.text);
	return datum_string(key);
}

static struct expectation *look_up(struct turn *turn, struct datum table)
{
	struct datum key = key_of(turn, table);
	struct expectation *known = notes_find(turn->notes, key.text, key.size);

	if (known)
		return known;
	known = allocate(sizeof(*known));
	*known = (struct expectation){ .after_next = REST_MIN };
	notes_put(turn->notes, key.text, key.size, known, free);
	return known;
}

static void failed(struct expectation *known)
{
	known->batch = 0;
	known->held = 0;
	known->rest = known->after_next;
	if (known->after_next < REST_MAX)
		known->after_next *= REST_GROWTH;
}

/* The rest after the next failure becomes shorter when so many batches have held. */
static void held(struct expectation *known)
{
	if (++known->held < known->after_next || known->after_next == REST_MIN)
		return;
	known->held = 0;
	known->after_next /= REST_GROWTH;
}

bool new_rows_expected(struct turn *turn, struct datum table, uint32_t count)
{
	if (count < ROWS_MIN)
		return false;
	struct expectation *known = look_up(turn, table);
	enum turn_new answer = known->rest ? TURN_NEW_NOT_NOW : turn_expect_new(turn);
	if (known->rest)
		known->rest--;
	if (answer == TURN_NEW_REFUSED && known->batch == turn_batch(turn))
		failed(known);
	if (answer != TURN_NEW_EXPECTED)
		return false;
	if (known->batch && known->batch != turn_batch(turn))
		held(known);
	known->batch = turn_batch(turn);
	return true;
}
