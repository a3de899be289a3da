/*
 * new_rows.h - rows that are expected not to be there yet
 *
 * INSERT without ON CONFLICT spares PostgreSQL the speculative insertion: a twentieth of a vector's
 * cost, a sixth of a message's. Whether the next keys are there is not known before; but what held
 * for a table's last rows mostly holds on. So a large statement with ON CONFLICT tells whether its
 * rows were new, and behind such the next one is sent without. A key that is there fails that, the
 * engine runs the batch again, in which nothing is expected (turn_guess), and more has to be seen
 * before it is tried again. The table's unique index alone decides: what is expected spares or costs
 * time and changes no outcome.
 *
 * What is known of a table is the executor's, as its notes are (notes.h).
 */
#ifndef HANDLERS_NEW_ROWS_H
#define HANDLERS_NEW_ROWS_H

#include "handlers/turn.h"

/* Are the `count` rows that go into the table next expected to be new? Then their statement is to have
 * no ON CONFLICT. The table's name, in the arena, is all that is looked at. */
bool new_rows_expected(struct turn *turn, struct datum table, uint32_t count);
/* To be called for each such statement that is done, with ON CONFLICT or without: of its rows, all
 * were new. In SQL: xmax = 0, of a row that is inserted. */
void new_rows_seen(struct turn *turn, struct datum table, uint32_t count, bool all_new);

#endif
