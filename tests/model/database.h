/*
 * database.h - PostgreSQL as far as the engine sees it
 *
 * Sessions with a pipeline of statements that the server works through in its own time, transactions
 * with row locks, the rows of stowage_offsets and stowage_outbox, and effects that count at COMMIT. A
 * session may break at any statement: what was sent before may still be executed, COMMIT included.
 */
#ifndef TESTS_MODEL_DATABASE_H
#define TESTS_MODEL_DATABASE_H

#include "tests/model/sim.h"

void database_start(void);
void database_end(void);
/* The process is dead: its sessions end, perhaps after some of the statements that are on their way. */
void database_drop(const struct process *process);
/* All sessions end at once. */
void database_restart(void);
/* Has the row everything behind it, and is the outbox empty? */
bool database_is_settled(int partition);
/* Where the row stands, for people. */
void database_describe(int partition, char *text, int size);

#endif
