/*
 * context.h - what a handler sees: one command, or a run of the same command folded into one turn
 *
 * A handler sends statements and gives each call its outcome, at once or in a statement's
 * callback. Statements of a turn run in the order they were sent, in the batch's transaction;
 * a callback may send more of them (then the command's flags must say `barrier`). The engine
 * may run a turn again from the start (after a rollback, or halved to find a culprit): a
 * handler keeps nothing outside the turn's arena but its notes, and the last outcome counts.
 *
 * Errors the handler finds by itself are given with call_fail() and abort nothing. An SQL
 * error never reaches a callback: the engine isolates the culprit and answers it.
 *
 * Runs on the batch's executor thread; nothing here is thread-safe.
 */
#ifndef HANDLERS_CORE_CONTEXT_H
#define HANDLERS_CORE_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/connection/params.h"
#include "db/connection/rows.h"
#include "handlers/core/command.h"
#include "handlers/core/failure.h"
#include "schemas/avro/type.h"
#include "schemas/base/arena.h"
#include "schemas/base/datum.h"

enum call_state {
	CALL_PENDING,
	CALL_DONE,
	CALL_FAILED,
	CALL_DEFERRED, /* done here; its reply comes later, from whoever stored its address */
};

/* One command at its turn. */
struct call {
	const struct command_def *command;
	const struct datum *request; /* the request record, in the reader's field order */
	const struct type *request_type;
	const struct type *reply_type; /* the reply record; its only field is `result` */
	int64_t now_ms;                /* the worker's clock at this command's turn */
	bool wants_reply;              /* false: call_reply is not needed (and does nothing) */
	enum call_state state;
	const void *reply; /* the encoded reply record (unframed), in the arena */
	size_t reply_size;
	struct failure failure; /* of a CALL_FAILED */
	const char *patterns; /* where its regular expressions stand ("a or b"), in the arena: it is
	                           told so if PostgreSQL can't read one; NULL: it has none */
	bool undo;            /* applied, but its reply does not fit: its effect is taken back */
	void *origin;         /* the engine's: where the command came from */
	bool cut;         /* more rows came for its reply than a reply can hold (context_bound) */
	unsigned repairs; /* json texts repaired for this call; the engine counts them */
};

struct context_link; /* the engine's side of a turn: how statements reach a connection */

struct context {
	struct call **calls; /* count of them; more than one only for `fold` commands */
	size_t count;
	struct arena *arena;
	struct params *params; /* empty; filled, sent with context_send, empty again */
	const char *schema;    /* PostgreSQL schema of the data (unquoted name) */
	bool in_transaction;   /* its statements join those of other commands; else what is sent
	                          at once, and then what a callback sends at once, shares a
	                          transaction of its own */
	const struct worker_settings *settings;
	struct hints *hints; /* the executor's (notes.h) */
	bool expects_new;    /* context_insert_optimistically has said so */
	struct context_link *link;
};

/* Settings a handler may depend on. */
struct worker_settings {
	bool repair_text;       /* repair NUL and lone surrogates in JSON as the reference does;
	                            false: they are INVALID */
	size_t max_reply_bytes; /* a larger encoded reply is the error REPLY_TOO_LARGE */
	const char *version;
};

/* Called with the statement's rows; `arg` as given to context_send. */
typedef void context_result_fn(struct context *ctx, const struct rows *rows, void *arg);

/* Sends statement_defs[statement] with turn->params (then empty again). `done` may be NULL. */
void context_send(struct context *ctx, int statement, context_result_fn *done, void *arg);

/* Sends SQL composed at run time, which must live in the arena; `:"schema"` is replaced as in
 * the .sql files. Values go into turn->params, never into the text. */
void context_send_sql(struct context *ctx, const char *sql, context_result_fn *done, void *arg);

/* All rows of the statement that is sent next go into the call's reply. `done` is given about as many
 * as a reply can hold at the most, and the reply is REPLY_TOO_LARGE if there are more: a result of
 * any size is never in memory. */
void context_bound(struct context *ctx, struct call *call);

/* May the handler act on its notes before they are checked? If it may, it says thereby that it does.
 * Not where a statement has failed before: it may have come of a guess. */
bool context_use_hints(struct context *ctx);

/*
 * Are the `count` rows that go into the table of that name next expected to be new? Then their
 * statements have no ON CONFLICT, which spares PostgreSQL work (handlers/core/optimistic_insert.h), and are to fail by a
 * unique violation where a row is there already: the engine runs the whole batch again, in which
 * none is expected to be new. They are to fail, too, where the keys are not unique (any more), as an
 * INSERT of no rows beside them does, if it has ON CONFLICT.
 */
bool context_insert_optimistically(struct context *ctx, struct datum table, uint32_t count);
/* What the turn writes next is dear to write again and to undo: no rows behind it in the batch are
 * expected to be new. */
void context_costly(struct context *ctx);

/*
 * Rows by COPY: cheaper than any statement, for some hundred rows of which none is expected to be
 * there. `sql` is a COPY ... FROM STDIN (FORMAT binary), as in context_send_sql. context_copy_begin is
 * false if the rows are to go in by a statement: outside of a transaction, after a conflict for a
 * while, where a culprit is looked for. Then the rows go into turn->params by params_copy(), in
 * pieces: context_copy_rows sends what is there and forgets it. context_copy_end is false if a unique
 * key was there already: nothing is in, a statement has to do it. All that was sent before is
 * waited for first.
 */
bool context_copy_begin(struct context *ctx, const char *sql) __attribute__((warn_unused_result));
void context_copy_rows(struct context *ctx, int copy);
bool context_copy_end(struct context *ctx, int copy) __attribute__((warn_unused_result));

/* For `outside` commands: makes what the turn's schema lacks of tables and indexes, on a
 * connection in no transaction. True: *statements were run. False: it could not be done and
 * this is no matter of the handler any more: the call has its error, or, if the cause is
 * passing, the engine runs the turn again later. */
bool context_init_storage(struct context *ctx, struct call *call, int64_t *statements)
	__attribute__((warn_unused_result));

/* The call's outcome. The result is encoded at once against the reply's schema, so its text
 * may point into the rows at hand. A result that does not fit its schema is an INTERNAL error,
 * one beyond max_reply_bytes REPLY_TOO_LARGE (a write's effect is undone then: the engine runs
 * the batch again without it). */
void call_reply(struct context *ctx, struct call *call, struct datum result);
void call_reply_null(struct context *ctx, struct call *call);
void call_fail(struct context *ctx, struct call *call, enum failure_category category,
	const char *code, const char *details_json, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
/* ... INVALID, for what stands at that path of the request, which the details name. */
void call_fail_at(struct context *ctx, struct call *call, const char *code, const char *path,
	const char *why);

/* Where the call's reply is to go, or its dead letter if it asked for none: bytes in the arena, to
 * be stored for the builder (worker/background/index_builder.h), which ends them. call_defer leaves it to that. */
const void *call_address(struct context *ctx, struct call *call, size_t *size);
void call_defer(struct context *ctx, struct call *call);

/* Row `row` as a record of `type`: columns are matched to fields by name; a field without a
 * column is null. A timestamp becomes milliseconds, json and jsonb their text, text[] an array. */
struct datum reply_row(struct context *ctx, const struct rows *rows, int row,
	const struct type *type);
struct datum reply_rows(struct context *ctx, const struct rows *rows, const struct type *type);

/* The handler of commands that name none: binds the statement's declared parameters, runs it
 * and shapes the reply as declared. */
handler_fn handle_generic;

#endif
