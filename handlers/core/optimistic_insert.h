/*
 * optimistic_insert.h - whether the rows that go into a table next are expected to be new
 *
 * INSERT without ON CONFLICT spares PostgreSQL the speculative insertion: a twentieth of a vector's
 * cost, a sixth of a message's. Nobody knows before whether rows are new, but a table mostly stays as
 * it was. So many rows at once are expected to be new, until one is not: that fails its batch, which
 * runs again without, and the next hundred times the table's rows are not expected to be new. After
 * each other failure it is four times as often, up to some thousand times, and a hundred times again
 * if enough batches have held since the last.
 *
 * Tables share a few places, by their names: one of thousands of tables that has not been seen yet
 * costs no batch, and what a table does wrong costs some others that twentieth.
 *
 * An executor's; for its thread alone.
 */
#ifndef HANDLERS_CORE_OPTIMISTIC_INSERT_H
#define HANDLERS_CORE_OPTIMISTIC_INSERT_H

#include <stdbool.h>
#include <stddef.h>

#define NEW_ROWS_PLACES 16

struct new_rows_place {
	unsigned rest;      /* so many times more, rows are not expected to be new */
	unsigned last_rest; /* how often it was after the last failure; 0: there was none */
	unsigned held;      /* batches since */
	bool tried;         /* in this attempt rows were expected to be new */
};

/* All zero at the start. */
struct new_rows {
	struct new_rows_place places[NEW_ROWS_PLACES];
};

/* A batch begins, or begins again. */
void new_rows_begin(struct new_rows *rows);
/* Are the next `count` rows of the table of that name? Then they are tried. */
bool new_rows_expected(struct new_rows *rows, const char *table, size_t size, size_t count);
/* Were any in this attempt? */
bool new_rows_tried(const struct new_rows *rows);
/* The attempt failed by a row that was there already; or it is in. */
void new_rows_failed(struct new_rows *rows);
void new_rows_held(struct new_rows *rows);

#endif
