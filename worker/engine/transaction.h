/*
 * transaction.h - runs a batch in the database: the fence, the commands, their replies, the offsets
 *
 * Writes go in one transaction; a batch of reads alone writes nothing. Attempts at a batch climb a
 * ladder (enum attempt_level): after a failed assumption the batch runs again without assumptions,
 * and after a failed command with a savepoint before each context. A failing context is halved until
 * the failing command stands alone; its neighbours commit. A command that needs more time than a shared
 * batch has makes the attempt fail with DB_CONTEND and marks its lane (struct batch_lane) as slow.
 *
 * For the executor's thread.
 */
#ifndef WORKER_ENGINE_TRANSACTION_H
#define WORKER_ENGINE_TRANSACTION_H

#include "handlers/core/context_engine.h"
#include "worker/engine/batch.h"
#include "worker/engine/budget.h"

struct transaction {
	const struct engine *engine;
	struct connection *connection;
	struct context_session session;
	struct lane_table table;
	/* The batch in hand: */
	int retries;          /* how often it failed before, in a row */
	bool alone;           /* it has slow commands: each runs alone, with the whole time */
	struct budget budget; /* of its statements */
	int64_t longest_ms;   /* of a command that ran alone */
	bool running;         /* its commands' results have not all arrived */
	bool logged;          /* the log has named a command that runs long */
};

/* Not connected yet. `reply`: the buffer in which calls write their replies. End it with transaction_end. */
void transaction_init(struct transaction *transaction, const struct engine *engine,
	struct buffer *reply);
void transaction_end(struct transaction *transaction);

/* Runs the batch. DB_OK: it is committed, and its jobs have their dispositions; *written: so are its
 * lanes' rows (reads alone write none). DB_LOST: it may be committed. Any other kind: it is not. */
enum db_kind transaction_run(struct transaction *transaction, struct batch *batch,
	struct db_failure *failure, bool *written) __attribute__((warn_unused_result));

#endif
