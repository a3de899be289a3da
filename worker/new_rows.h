/*
 * new_rows.h - rows that are expected not to be there yet
 *
 * INSERT without ON CONFLICT spares PostgreSQL the speculative insertion: a twentieth of a vector's
 * cost, a sixth of a message's. Whether the next rows of a table are new is not known before; but
 * it mostly stays as it was. So large statements expect it, until a key is there: that fails the
 * batch, which runs again without (turn_expect_new), and the table's next statements do not expect
 * it, 100 of them, and four times as many after each other failure.
 *
 * Such a statement has to fail, too, where the keys are not unique (any more): ON CONFLICT sees to
 * that, and so does an INSERT of no rows that has one.
 *
 * What is known of a table is the executor's, as its notes are (notes.h).
 */
#ifndef HANDLERS_NEW_ROWS_H
#define HANDLERS_NEW_ROWS_H

#include "handlers/turn.h"

/* Are the `count` rows that go into the table next expected to be new? `table` is its name. */
bool new_rows_expected(struct turn *turn, struct datum table, uint32_t count);

#endif
