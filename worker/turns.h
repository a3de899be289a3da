/*
 * turns.h - the engine's side of handlers/turn.h
 *
 * A link binds turns to a connection. Where a statement fails, the failure's tag is the turn.
 */
#ifndef WORKER_TURNS_H
#define WORKER_TURNS_H

#include "db/connection.h"
#include "schemas/buffer.h"
#include "worker/job.h"
#include "worker/new_rows.h"

struct turn_link {
	const struct engine *engine;
	struct connection *connection;
	struct buffer *reply; /* scratch: a reply being encoded */
	bool in_transaction;  /* a transaction is begun */
	bool careful;         /* a culprit is looked for: a savepoint before each turn, nothing is
	                         guessed, copied or expected to be new */
	bool guessed;         /* in this attempt, a handler did */
	bool none_new;        /* a row was not new: none is expected to be, again in this batch */
	bool costly;          /* in this attempt something was written that is not to be risked by that */
	struct new_rows new_rows;
	size_t reply_bytes;   /* of all replies encoded in this attempt */
	struct notes *notes;
	struct call *bounded; /* of turn_bound, until the next statement is sent; NULL */
	unsigned copies_rest; /* copies to be left out after one that failed */
	struct db_failure outage; /* of an `outside` turn that is to be run again; DB_OK: none */
};

/* A turn of `count` calls, all of one command; in the arena. */
struct turn *turns_new(struct turn_link *link, struct arena *arena, struct params *params,
	struct call **calls, size_t count);

/* Runs the handler: statements are sent, outcomes come when the connection is drained. */
void turns_run(struct turn *turn);

#endif
