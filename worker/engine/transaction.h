/*
 * transaction.h - a batch in the database: the fence, the commands, their replies, the offsets
 *
 * Writes go in one transaction; a batch of reads alone writes nothing. If a row is there already that
 * was expected to be new, the batch is run again without such expectations. If a statement fails for
 * its command's sake, the batch is run again with a savepoint before each turn, and a failing
 * turn is halved until the culprit stands alone: its neighbours are applied all the same.
 */
#ifndef WORKER_ENGINE_TRANSACTION_H
#define WORKER_ENGINE_TRANSACTION_H

#include "handlers/core/context_engine.h"
#include "worker/engine/batch.h"

struct transaction {
	const struct engine *engine;
	struct connection *connection;
	struct params *params;
	struct context_link link;
	struct lane_table table;
};

/* Runs the batch. DB_OK: it is in, and its jobs have their outcomes; *written: and its lanes'
 * rows too (reads alone write nothing). DB_LOST: it may be in. Any other kind: it is not. */
enum db_kind transaction_run(struct transaction *transaction, struct batch *batch,
	struct db_failure *failure, bool *written) __attribute__((warn_unused_result));

#endif
