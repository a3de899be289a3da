/*
 * context.h - what a handler sees: one command, or neighbouring commands of one kind folded
 *
 * A handler sends statements and gives each call its outcome, at once or in a statement's callback.
 * PostgreSQL runs a context's statements in the order they were sent, in the batch's transaction. A
 * callback may send more statements; the command's flags must then say `barrier`. The engine may run
 * a context again from the start (after a rollback, or halved to find a failing command), so a
 * handler keeps nothing outside the context's arena but hints, and the last outcome counts.
 *
 * A handler may use settings->command_bytes of the arena and of ctx->params. If it needs more, it ends
 * where it is (allowance.h), and the engine answers that command with an error. So a handler owns
 * nothing but memory of the arena.
 *
 * A handler reports errors that it finds itself with call_fail(); these abort nothing. An SQL error
 * never reaches a callback: the engine isolates the command that caused it and answers that command.
 *
 * Runs on the batch's executor thread; not thread-safe.
 */
#ifndef HANDLERS_CORE_CONTEXT_H
#define HANDLERS_CORE_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/connection/params.h"
#include "db/connection/rows.h"
#include "db/retention/retention.h"
#include "handlers/core/command.h"
#include "handlers/core/failure.h"
#include "schemas/avro/type.h"
#include "schemas/base/allowance.h"
#include "schemas/base/arena.h"
#include "schemas/base/datum.h"

enum call_state {
	CALL_PENDING,
	CALL_DONE,
	CALL_FAILED,
	CALL_DEFERRED, /* done, and the thread that got its address replies later */
};

/* One command while it runs. */
struct call {
	const struct command_def *command;
	const struct datum *request; /* the request record, fields in the reader's order */
	const struct type *request_type;
	/* The tenant's PostgreSQL schema, unquoted; NULL: the worker's own. Calls of different schemas
	 * never share a context. */
	const char *schema;
	const struct type *reply_type; /* the reply record; its only field is `result` */
	uint64_t reply_fingerprint;    /* of the reply record's schema, for its framing */
	/* The worker's clock when the command runs, in microseconds. A later command has a later time,
	 * so rows that have it are listed in the order of their commands. */
	int64_t now_us;
	int64_t deadline_ms;   /* after it the command must not begin; 0: none */
	bool wants_reply;      /* false: call_reply does nothing but end the call */
	size_t envelope_bytes; /* of the reply, beside its value */
	enum call_state state;
	const void *reply; /* the framed reply record, in the arena */
	size_t reply_size;
	struct failure failure; /* of a CALL_FAILED */
	const char *patterns;   /* request fields that hold regular expressions ("a or b"), in the
	                           arena: the error names them if PostgreSQL rejects one; or NULL */
	bool cut;               /* the result has more rows than a reply can hold (context_bound) */
	bool undo;              /* the reply does not fit, so the engine undoes the effect */
	unsigned repairs;       /* JSON texts repaired for this call; the engine counts them */
	bool repeated;          /* its idempotency key was applied, and a deferred reply is under
	                           way: it only waits for that (call_defer) */
	void *origin;           /* the engine's own: where the command came from */
	struct call *inner;     /* of a group, in order: they are done when its handler runs */
	size_t inner_count;
};

/* The command's time in milliseconds, as clients see it. */
static inline int64_t call_now_ms(const struct call *call)
{
	return call->now_us / 1000;
}

/* Which of clients' own statements run. */
enum query_allowed {
	QUERY_OFF,
	QUERY_READ,
	QUERY_WRITE,
};

/* Settings that a handler may depend on. */
struct worker_settings {
	bool repair_text;       /* repair NUL and lone surrogates in JSON as the reference does;
	                           false: such text is INVALID */
	size_t max_reply_bytes; /* a larger reply, key and headers included, is REPLY_TOO_LARGE */
	size_t command_bytes;   /* memory that one command's own work may take */
	const char *version;
	bool allow_clear;         /* run commands with the flag `clear` */
	enum query_allowed query; /* storage.query */
	const char *query_role;   /* NULL: none */
	int64_t query_rows;       /* most rows of a result */
	/* The ages at which rows go, for storage.prune, by enum retention_id; 0: they stay. */
	int64_t retention_ms[RETENTION_COUNT];
};

struct prune; /* db/retention/prune.h */
struct prune_item;
struct context_session; /* the engine's side: context_engine.h */

struct context {
	struct call **calls; /* more than one only for `fold` commands */
	size_t count;
	struct arena *arena;
	struct params *params; /* empty; the handler fills it, context_send sends and empties it */
	const char *schema;    /* PostgreSQL schema of the calls' data, unquoted */
	bool in_transaction;   /* true: other commands share the transaction. false: statements sent
	                          together, by the handler or by one callback, share a transaction */
	const struct worker_settings *settings;
	struct hints *hints; /* the executor's (hints.h) */
	struct context_session *session;
	struct allowance allowance; /* of the arena, of params, and of the rows at hand */
	bool over;                  /* it needed more, so no callback of it runs any more */
};

/* Receives a statement's rows; `arg` is context_send's. */
typedef void context_result_fn(struct context *ctx, const struct rows *rows, void *arg);

/* Sends statement_defs[statement] with ctx->params, and empties them. `done` may be NULL. */
void context_send(struct context *ctx, int statement, context_result_fn *done, void *arg);

/* The same, but `:"schema"` stands for the worker's own schema, which holds the stowage_* tables of all
 * tenants. */
void context_send_own(struct context *ctx, int statement, context_result_fn *done, void *arg);
/* The worker's own schema, unquoted. */
const char *context_own_schema(const struct context *ctx);

/* Sends SQL composed at run time, which must live in the arena. `:"schema"` stands for the schema as
 * in the .sql files. Values go into ctx->params, never into the text. */
void context_send_sql(struct context *ctx, const char *sql, context_result_fn *done, void *arg);

/* Asks the server what `sql` takes and returns, as connection_describe. */
void context_describe(struct context *ctx, const char *sql, const uint32_t *oids, int count,
	context_result_fn *done, void *arg);
/* The connection prepares its statements again: SQL of a client may have changed them. */
void context_renew_statements(struct context *ctx);
/* The session gets its settings back: SQL of a client may have changed them. */
void context_reset_settings(struct context *ctx);
/* How often the batch failed before, in a row. */
int context_retries(const struct context *ctx);

/* All rows of the next statement go into this call's reply. `done` receives at most about as many as
 * a reply can hold, and the call fails with REPLY_TOO_LARGE if there are more, so a result of any
 * size never fills the memory. Other statements of reads, and of barriers, may return half of
 * command_bytes; more rows are too much for the context. */
void context_bound(struct context *ctx, struct call *call);

/* `done` of the next statement gets each row by itself as it arrives, and in the end rows without one.
 * For rows of which the reply holds a small part. */
void context_stream(struct context *ctx);

/* The next statement reads a part of a long list: `done` gets at least one row, and no more than about
 * as many as a reply can hold. context_rows_cut then says whether rows behind them were left out. */
void context_part(struct context *ctx);
bool context_rows_cut(const struct context *ctx);

/* May the handler act on its hints before the database confirms them? If true, it counts as having
 * done so. False after a statement of this batch has failed: a stale hint may have caused it. */
bool context_use_hints(struct context *ctx);

/*
 * May the handler insert the next `count` rows as new? If true, it sends statements without ON
 * CONFLICT, which saves PostgreSQL work (optimistic_insert.h). They must fail with a unique
 * violation if a row exists; the engine then runs the whole batch again, and this returns false.
 * They must also fail if the keys are no longer unique: an INSERT of no rows with ON CONFLICT in the
 * same statement does that.
 */
bool context_insert_optimistically(struct context *ctx, uint32_t count);

/*
 * Rows by COPY, cheaper than a prepared statement for some hundred rows of which none is expected to exist, and
 * than one that is not prepared (a tenant's) for two.
 * `sql` is a COPY ... FROM STDIN (FORMAT binary), as in context_send_sql. context_copy_begin returns
 * false if a statement must insert the rows: outside a transaction, for a while after a conflict,
 * and while the engine isolates a failing command. Otherwise the handler appends rows to ctx->params
 * with params_copy(), in pieces; context_copy_rows sends a piece and forgets it. context_copy_end
 * returns false if a unique key existed: then no row was inserted, and a statement must do it. COPY
 * waits for all statements sent before.
 */
bool context_copy_begin(struct context *ctx, const char *sql) __attribute__((warn_unused_result));
void context_copy_rows(struct context *ctx, int copy);
bool context_copy_end(struct context *ctx, int copy) __attribute__((warn_unused_result));

/* For `outside` commands: creates the tables and indexes that the schema lacks, on a connection
 * without a transaction. True: *statements ran. False: the call has its error, or, if the cause can
 * pass, the engine runs the context again later; the handler just returns. */
bool context_init_storage(struct context *ctx, struct call *call, int64_t *statements)
	__attribute__((warn_unused_result));

/* For `outside` commands: prunes tables; the caller sets only the bounds and skip_failed. True: the items
 * say what was deleted. False: as context_init_storage. */
bool context_prune(struct context *ctx, struct call *call, struct prune *prune,
	struct prune_item *items, size_t count) __attribute__((warn_unused_result));

/* Ends the call with a result, and encodes it at once against the reply's schema, so its text may
 * point into the rows at hand. A result that does not fit its schema is an INTERNAL error; a reply
 * beyond max_reply_bytes is REPLY_TOO_LARGE. A write's effect is then undone: the engine runs the
 * batch again without it. */
void call_reply(struct context *ctx, struct call *call, struct datum result);
void call_reply_null(struct context *ctx, struct call *call);
/* Ends the call with an error. details_json may be NULL. */
void call_fail(struct context *ctx, struct call *call, enum failure_category category,
	const char *code, const char *details_json, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
/* Ends the call with an INVALID error about the value at `path` of the request, which the details
 * name. */
void call_fail_at(struct context *ctx, struct call *call, const char *code, const char *path,
	const char *why);

/* Returns where the call's reply (or its dead letter, if it asked for none) must go: bytes in the
 * arena, to store for the thread that replies later (worker/background/index_replies.h). call_defer
 * leaves the reply to that thread. If call->repeated, the effect is in the database already: the
 * handler only asks for the reply, and ends with call_reply_null if there is nothing to wait for. */
const void *call_address(struct context *ctx, struct call *call, size_t *size);
void call_defer(struct context *ctx, struct call *call);

/* Returns row `row` as a record of `type`. Columns go to fields of the same name; a field without a
 * column is null. A timestamp becomes milliseconds, json and jsonb their text, text[] an array. */
struct datum reply_row(struct context *ctx, const struct rows *rows, int row,
	const struct type *type);
/* All rows as an array of `type`: records, or the rows' first columns. */
struct datum reply_rows(struct context *ctx, const struct rows *rows, const struct type *type);

/* The handler of commands that name none: binds the statement's declared parameters, runs it and
 * shapes the reply as declared. */
handler_fn handle_generic;
/* The same for lists (reply `page`), and for writes with the flag `fold`. */
handler_fn handle_page;
handler_fn handle_folded;

#endif
