/*
 * context_engine.h - the engine's side of handlers/core/context.h
 *
 * A link binds turns to a connection. Where a statement fails, the failure's tag is the turn.
 */
#ifndef HANDLERS_CORE_CONTEXT_ENGINE_H
#define HANDLERS_CORE_CONTEXT_ENGINE_H

#include "db/connection/connection.h"
#include "handlers/core/context.h"
#include "handlers/core/optimistic_insert.h"
#include "schemas/base/buffer.h"

/* What the engine does for handlers beyond statements. `engine` is context_link's. */
struct context_hooks {
	/* Returns where the call's reply (or dead letter) must go, as bytes in the arena. */
	const void *(*address)(const void *engine, struct call *call, struct arena *arena,
		size_t *size);
	/* Creates missing tables. DB_OK: *statements were run. DB_OUTAGE: try again later.
	 * Any other kind: it failed; `failure` says why. */
	enum db_kind (*init_storage)(const void *engine, int64_t *statements,
		struct db_failure *failure);
};

struct context_link {
	const struct context_hooks *hooks;
	const void *engine;
	const struct worker_settings *settings;
	const char *schema;
	struct connection *connection;
	struct buffer *reply; /* scratch: a reply being encoded */
	bool in_transaction;  /* a transaction is begun */
	bool isolating;       /* a culprit is looked for: a savepoint before each turn, nothing is
	                         guessed, copied or expected to be new */
	bool used_hints;      /* in this attempt, a handler did */
	bool none_new;        /* a row was not new: none is expected to be, again in this batch */
	bool costly; /* in this attempt something was written that is not to be risked by that */
	struct new_rows new_rows;
	size_t reply_bytes; /* of all replies encoded in this attempt */
	struct hints *hints;
	struct call *bounded;     /* of context_bound, until the next statement is sent; NULL */
	unsigned copies_rest;     /* copies to be left out after one that failed */
	struct db_failure outage; /* of an `outside` turn that is to be run again; DB_OK: none */
};

/* A turn of `count` calls, all of one command; in the arena. */
struct context *context_new(struct context_link *link, struct arena *arena, struct params *params,
	struct call **calls, size_t count);

/* Runs the handler: statements are sent, outcomes come when the connection is drained. */
void context_run(struct context *ctx);

#endif
