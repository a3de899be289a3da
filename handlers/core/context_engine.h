/*
 * context_engine.h - the engine's side of context.h
 *
 * State of handlers has three lifetimes: a session lives as long as its executor, the level of the
 * ladder as long as a batch, and an attempt as long as one run of a batch. If a statement fails,
 * the failure's tag is its context.
 *
 * For the executor's thread.
 */
#ifndef HANDLERS_CORE_CONTEXT_ENGINE_H
#define HANDLERS_CORE_CONTEXT_ENGINE_H

#include "db/connection/connection.h"
#include "db/retention/prune.h"
#include "handlers/core/context.h"
#include "handlers/core/optimistic_insert.h"
#include "schemas/base/allowance.h"
#include "schemas/base/buffer.h"

/* What the engine does for handlers beyond statements. `engine` is the session's. */
struct context_hooks {
	/* Returns where the call's reply (or dead letter) must go, as bytes in the arena. */
	const void *(*address)(const void *engine, struct call *call, struct arena *arena,
		size_t *size);
	/* Creates missing tables of a tenant's schema; NULL: of the worker's own. DB_OK: *statements
	 * ran. DB_OUTAGE: try again later. DB_SETUP: the configuration forbids it, and something is
	 * missing. Any other kind: it failed. `failure` says why. */
	enum db_kind (*init_storage)(const void *engine, const char *schema, int64_t *statements,
		struct db_failure *failure);
	/* Prunes with the connection, parameters, schema and time that context_prune has set. As
	 * prune_run. */
	enum db_kind (*prune)(const void *engine, const struct call *call, struct prune *prune,
		struct prune_item *items, size_t count, struct db_failure *failure);
};

/* The ladder of attempts at a batch. A failed assumption leads to PLAIN, a failed command to
 * ISOLATING. */
enum attempt_level {
	ATTEMPT_OPTIMISTIC, /* handlers act on hints and insert rows as new */
	ATTEMPT_PLAIN,      /* without hints and optimistic inserts */
	ATTEMPT_ISOLATING,  /* and without COPY: a savepoint before each context, to find the
	                       failing command */
};

/* One attempt at a batch. context_start_attempt clears it. */
struct context_attempt {
	bool in_transaction;
	bool used_hints;              /* a handler acted on a hint */
	bool inserted_optimistically; /* a handler inserted rows as new */
	size_t reply_bytes;           /* of all replies encoded so far */
	struct call *bounded;         /* context_bound's call until the next statement; NULL */
	bool part;                    /* context_part, until the next statement */
	bool stream;                  /* context_stream, until the next statement */
	struct context *copying;      /* is between context_copy_begin and context_copy_end; NULL */
	struct allowance shared;      /* of all contexts */
	/* A context that needed too much memory, and that context.c could not answer: the engine must
	 * isolate the command. NULL: none. */
	struct context *over;
	struct db_failure outage; /* an `outside` command must run again later; DB_OK: none */
};

struct context_session {
	struct context_hooks hooks;
	const void *engine;
	const struct worker_settings *settings;
	const char *schema; /* the worker's own */
	struct connection *connection;
	struct params *params;
	struct buffer *reply; /* scratch: a reply being encoded */
	struct hints *hints;
	struct optimistic_insert optimistic;
	unsigned copies_skipped; /* eligible contexts that still do not COPY, after a failed COPY */
	enum attempt_level level; /* of the batch in hand */
	int retries;              /* how often it failed before, in a row */
	struct context_attempt attempt;
};

/* A batch runs for the first time, or again. */
void context_start_attempt(struct context_session *session);

/* `kind` is how the statements went. If it is DB_OK, but a context needed too much memory since the last
 * call, returns DB_COMMAND, and *failure has its tag and DB_ROWS_TOO_LARGE. Its statements may have had
 * effects. Else returns `kind`. */
enum db_kind context_take_over(struct context_session *session, enum db_kind kind,
	struct db_failure *failure) __attribute__((warn_unused_result));
/* Fails a call that needed too much memory. */
void context_fail_over(struct context *ctx, struct call *call);

/* Makes a context of `count` calls of one command and one schema, in the arena. */
struct context *context_new(struct context_session *session, struct arena *arena,
	struct call **calls, size_t count);

/* Runs the handler. It sends statements; outcomes come when the connection is drained. */
void context_run(struct context *ctx);

#endif
