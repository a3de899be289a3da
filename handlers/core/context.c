/* context.c - runs handlers: sends their statements, encodes their replies, offers assumptions */
#include "handlers/core/context.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/connection/copy.h"
#include "handlers/core/context_engine.h"
#include "schemas/avro/encode.h"
#include "schemas/avro/framing.h"
#include "schemas/base/utf8.h"
#include "schemas/json/json.h"

#define MESSAGE_MAX 1024
/* Duplicates arrive in bursts (a client resends its spans), so the next 100 eligible contexts do not
 * COPY after one that met an existing key or could not COPY for another reason. */
#define COPIES_SKIP 100
/* A row takes at least a quarter of its size in a reply: rows beyond four times the limit fit in
 * none. */
#define ROWS_PER_REPLY ((size_t)4)
/* Rows of a statement whose handler sets no bound may take this part of the context's allowance. */
#define ROWS_PART 2
/* Folded reads of up to this many calls are not bounded: each row would cost about 1 us more, and
 * their keys bound the rows. A row may hold as much as the largest message. */
#define FOLD_UNBOUNDED 4
/* Contexts that run one behind the other, before their results are read, may take this many times the
 * allowance of one. An isolated context has the whole of its own. */
#define SHARED_BUDGETS ((size_t)2)

/* A statement in flight. */
struct pending {
	struct context *ctx;
	context_result_fn *done;
	void *arg;
	struct call *bounded; /* context_bound's call; NULL: none */
	bool part;            /* context_part */
};

void context_start_attempt(struct context_session *session)
{
	size_t bytes = session->settings->command_bytes;
	session->attempt = (struct context_attempt){ 0 };
	session->attempt.shared.limit = session->level == ATTEMPT_ISOLATING ||
			bytes > SIZE_MAX / SHARED_BUDGETS
		? SIZE_MAX
		: SHARED_BUDGETS * bytes;
}

struct context *context_new(struct context_session *session, struct arena *arena,
	struct call **calls, size_t count)
{
	struct context *ctx = arena_alloc(arena, sizeof(*ctx));
	*ctx = (struct context){
		.calls = calls,
		.count = count,
		.arena = arena,
		.params = session->params,
		.schema = calls[0]->schema ? calls[0]->schema : session->schema,
		.in_transaction = session->attempt.in_transaction,
		.settings = session->settings,
		.hints = session->hints,
		.session = session,
	};
	return ctx;
}

/* --- the allowance --- */

enum db_kind context_take_over(struct context_session *session, enum db_kind kind,
	struct db_failure *failure)
{
	struct context *over = session->attempt.over;
	session->attempt.over = NULL;
	if (!over || kind != DB_OK)
		return kind;
	*failure = (struct db_failure){ .kind = DB_COMMAND,
		.sqlstate = DB_ROWS_TOO_LARGE,
		.message = "the command needs more than limits.commandBytes of memory",
		.tag = over };
	return DB_COMMAND;
}

void context_fail_over(struct context *ctx, struct call *call)
{
	bool read = (call->command->flags & COMMAND_READ) != 0;
	call_fail(ctx, call, FAILURE_INVALID, read ? "REPLY_TOO_LARGE" : "COMMAND_TOO_LARGE", NULL,
		"the command needs more than %zu bytes of memory (limits.commandBytes): ask for "
		"less at a time",
		ctx->settings->command_bytes);
}

/* The context has ended early. A call that stands alone is answered here, and a write is undone.
 * Otherwise the engine finds the command. */
static void context_ends(struct context *ctx)
{
	struct context_session *session = ctx->session;
	if (session->attempt.copying == ctx) {
		session->attempt.copying = NULL;
		/* Rows that end in the middle: the server refuses them. */
		(void)!copy_end(session->connection, ctx);
	}
	params_reset(ctx->params);
	ctx->over = true;
	if (ctx->count > 1 || ctx->allowance.crowded || session->level == ATTEMPT_ISOLATING) {
		session->attempt.over = ctx;
		return;
	}
	context_fail_over(ctx, ctx->calls[0]);
	ctx->calls[0]->undo = (ctx->calls[0]->command->flags & COMMAND_WRITE) != 0;
}

/* Runs a handler or a callback of it within the context's allowance. */
static void context_work(struct context *ctx, void (*work)(void *arg), void *arg)
{
	struct allowance *arena = arena_charge(ctx->arena, &ctx->allowance);
	struct allowance *params = params_charge(ctx->params, &ctx->allowance);
	bool done = allowance_run(&ctx->allowance, work, arg);
	arena_charge(ctx->arena, arena);
	params_charge(ctx->params, params);
	if (!done)
		context_ends(ctx);
}

static void context_handle(void *arg)
{
	struct context *ctx = arg;
	ctx->calls[0]->command->handler(ctx);
}

/* --- statements --- */

void context_run(struct context *ctx)
{
	/* An earlier attempt may have run the calls, and a rollback undone them. */
	for (size_t i = 0; i < ctx->count; i++) {
		struct call *call = ctx->calls[i];
		call->state = CALL_PENDING;
		call->cut = false;
		call->repairs = 0;
		call->undo = false;
	}
	ctx->over = false;
	ctx->allowance = (struct allowance){ .limit = ctx->settings->command_bytes,
		.shared = &ctx->session->attempt.shared };
	params_reset(ctx->params);
	context_work(ctx, context_handle, ctx);
	params_reset(ctx->params);
}

/* A result on its way to its callback. */
struct arrival {
	const struct pending *pending;
	const struct rows *rows;
};

static void context_call_back(void *arg)
{
	const struct arrival *arrival = arg;
	const struct pending *pending = arrival->pending;
	pending->done(pending->ctx, arrival->rows, pending->arg);
}

static void context_take_rows(void *arg, const struct rows *rows)
{
	const struct pending *pending = arg;
	struct context *ctx = pending->ctx;
	struct arrival arrival = { pending, rows };
	bool cut = connection_rows_cut(ctx->session->connection);
	if (ctx->over)
		return;
	if (pending->bounded)
		pending->bounded->cut |= cut;
	else if (cut && !pending->part)
		context_ends(ctx);
	if (pending->done && !ctx->over)
		context_work(ctx, context_call_back, &arrival);
}

/* May the statement return many rows, or large ones, although its handler sets no bound? */
static bool context_returns_much(const struct context *ctx)
{
	const struct command_def *command = ctx->calls[0]->command;
	if (command->shape != REPLY_CUSTOM)
		return false;
	if (command->flags & COMMAND_FOLD && ctx->count <= FOLD_UNBOUNDED)
		return false;
	return (command->flags & (COMMAND_READ | COMMAND_BARRIER)) != 0;
}

/* How many bytes of rows the callback gets at most; 0: all. */
static size_t context_rows_bound(const struct context *ctx, const struct pending *pending)
{
	size_t replies = ROWS_PER_REPLY * ctx->settings->max_reply_bytes;
	size_t most = ctx->settings->command_bytes / ROWS_PART;
	if (pending->bounded || pending->part)
		return replies < most ? replies : most;
	return pending->done && context_returns_much(ctx) ? most : 0;
}

typedef void context_send_fn(struct connection *connection, const char *sql, const char *schema,
	struct params *params, connection_result_fn *done, void *arg, void *tag);

/* A statement to send. */
struct outbound {
	context_send_fn *send;
	const char *sql, *schema;
};

static void context_send_with(struct context *ctx, struct outbound out, context_result_fn *done,
	void *arg)
{
	struct context_session *session = ctx->session;
	struct context_attempt *attempt = &session->attempt;
	struct pending *pending = arena_alloc(ctx->arena, sizeof(*pending));
	*pending = (struct pending){ ctx, done, arg, attempt->bounded, attempt->part };
	size_t bound = attempt->stream ? 0 : context_rows_bound(ctx, pending);
	out.send(session->connection, out.sql, out.schema, ctx->params, context_take_rows, pending,
		ctx);
	if (bound)
		connection_bound(session->connection, bound);
	if (attempt->stream)
		connection_stream(session->connection);
	attempt->bounded = NULL;
	attempt->part = attempt->stream = false;
	params_reset(ctx->params);
}

void context_send(struct context *ctx, int statement, context_result_fn *done, void *arg)
{
	struct outbound out = { connection_send, statement_defs[statement].sql, ctx->schema };
	context_send_with(ctx, out, done, arg);
}

void context_send_own(struct context *ctx, int statement, context_result_fn *done, void *arg)
{
	struct outbound out = { connection_send, statement_defs[statement].sql,
		ctx->session->schema };
	context_send_with(ctx, out, done, arg);
}

const char *context_own_schema(const struct context *ctx)
{
	return ctx->session->schema;
}

void context_send_sql(struct context *ctx, const char *sql, context_result_fn *done, void *arg)
{
	struct outbound out = { connection_send_composed, sql, ctx->schema };
	context_send_with(ctx, out, done, arg);
}

void context_describe(struct context *ctx, const char *sql, const uint32_t *oids, int count,
	context_result_fn *done, void *arg)
{
	struct pending *pending = arena_alloc(ctx->arena, sizeof(*pending));
	*pending = (struct pending){ .ctx = ctx, .done = done, .arg = arg };
	connection_describe(ctx->session->connection, sql, oids, count, context_take_rows, pending,
		ctx);
}

void context_renew_statements(struct context *ctx)
{
	connection_renew_statements(ctx->session->connection);
}

void context_reset_settings(struct context *ctx)
{
	connection_reset_settings(ctx->session->connection);
}

int context_retries(const struct context *ctx)
{
	return ctx->session->retries;
}

void context_bound(struct context *ctx, struct call *call)
{
	ctx->session->attempt.bounded = call;
}

void context_part(struct context *ctx)
{
	ctx->session->attempt.part = true;
}

void context_stream(struct context *ctx)
{
	ctx->session->attempt.stream = true;
}

bool context_rows_cut(const struct context *ctx)
{
	return connection_rows_cut(ctx->session->connection);
}

/* --- assumptions --- */

bool context_use_hints(struct context *ctx)
{
	if (ctx->session->level != ATTEMPT_OPTIMISTIC)
		return false;
	ctx->session->attempt.used_hints = true;
	return true;
}

bool context_insert_optimistically(struct context *ctx, uint32_t count)
{
	struct context_session *session = ctx->session;
	if (session->level != ATTEMPT_OPTIMISTIC ||
		!optimistic_insert_allowed(&session->optimistic, count))
		return false;
	session->attempt.inserted_optimistically = true;
	return true;
}

/* --- COPY --- */

bool context_copy_begin(struct context *ctx, const char *sql)
{
	struct context_session *session = ctx->session;
	if (!ctx->in_transaction || session->level == ATTEMPT_ISOLATING)
		return false;
	if (session->copies_skipped > 0) {
		session->copies_skipped--;
		return false;
	}
	bool begun = copy_begin(session->connection, sql, ctx->schema, ctx);
	session->attempt.copying = begun ? ctx : NULL;
	return begun;
}

void context_copy_rows(struct context *ctx, int copy)
{
	size_t size;
	const void *bytes = copy_bytes(ctx->params, copy, &size);
	copy_rows(ctx->session->connection, bytes, size);
	copy_forget(ctx->params, copy);
}

bool context_copy_end(struct context *ctx, int copy)
{
	copy_close(ctx->params, copy);
	context_copy_rows(ctx, copy);
	params_reset(ctx->params);
	ctx->session->attempt.copying = NULL;
	enum copy_end end = copy_end(ctx->session->connection, ctx);
	if (end != COPY_DONE)
		ctx->session->copies_skipped = COPIES_SKIP;
	return end != COPY_CONFLICT;
}

/* --- outcomes --- */

void call_fail(struct context *ctx, struct call *call, enum failure_category category,
	const char *code, const char *details_json, const char *format, ...)
{
	char text[MESSAGE_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	unicode_clean(text);
	call->state = CALL_FAILED;
	call->failure = (struct failure){
		.category = category,
		.retryable = category == FAILURE_UNAVAILABLE || category == FAILURE_TIMEOUT,
		.code = code,
		.message = arena_copy(ctx->arena, text, strlen(text)),
		.details = details_json,
	};
}

void call_fail_at(struct context *ctx, struct call *call, const char *code, const char *path,
	const char *why)
{
	struct json_text details = json_text_new(ctx->arena);
	json_text_puts(&details, "{\"path\":");
	json_text_string(&details, path, strlen(path));
	json_text_puts(&details, "}");
	call_fail(ctx, call, FAILURE_INVALID, code, json_text_end(&details).text, "%s: %s", path,
		why);
}

/* The reply cannot be sent, so a write must not keep its effect either. */
static void fail_reply(struct context *ctx, struct call *call, enum encode_verdict verdict,
	const char *why)
{
	if (verdict == ENCODE_TOO_LARGE)
		call_fail(ctx, call, FAILURE_INVALID, "REPLY_TOO_LARGE", NULL,
			"the reply is larger than replies.maxBytes (%zu): ask for less at a time",
			ctx->settings->max_reply_bytes);
	else
		call_fail(ctx, call, FAILURE_INTERNAL, "REPLY_MISFIT", NULL,
			"the reply does not fit its schema: %s (a defect of stowage)", why);
	call->undo = (call->command->flags & COMMAND_WRITE) != 0;
}

void call_reply(struct context *ctx, struct call *call, struct datum result)
{
	call->state = CALL_DONE;
	if (!call->wants_reply)
		return;
	if (call->cut) {
		fail_reply(ctx, call, ENCODE_TOO_LARGE, NULL);
		return;
	}
	char why[256];
	struct buffer *buffer = ctx->session->reply;
	buffer_clear(buffer);
	framing_write(buffer, call->reply_fingerprint);
	struct datum reply = datum_record(&result, 1);
	enum encode_verdict verdict = encode(buffer, call->reply_type, &reply, why, sizeof(why));
	if (verdict == ENCODE_OK &&
		buffer->size - FRAMING_SINGLE_OBJECT_SIZE + call->envelope_bytes >
			ctx->settings->max_reply_bytes)
		verdict = ENCODE_TOO_LARGE;
	if (verdict != ENCODE_OK) {
		fail_reply(ctx, call, verdict, why);
		return;
	}
	call->reply = arena_copy(ctx->arena, (const char *)buffer->data, buffer->size);
	call->reply_size = buffer->size;
	ctx->session->attempt.reply_bytes += buffer->size;
}

void call_reply_null(struct context *ctx, struct call *call)
{
	call_reply(ctx, call, datum_null());
}

const void *call_address(struct context *ctx, struct call *call, size_t *size)
{
	return ctx->session->hooks.address(ctx->session->engine, call, ctx->arena, size);
}

bool context_init_storage(struct context *ctx, struct call *call, int64_t *statements)
{
	struct db_failure failure, closed;
	struct connection *connection = ctx->session->connection;
	const struct context_hooks *hooks = &ctx->session->hooks;
	const void *engine = ctx->session->engine;
	enum db_kind kind = hooks->init_storage(engine, call->schema, statements, &failure);
	/* The server may allow this role no further session. The command runs outside of a transaction,
	 * so nothing is pending in this one. */
	if (kind == DB_OUTAGE) {
		connection_close(connection);
		kind = hooks->init_storage(engine, call->schema, statements, &failure);
		if (!connection_open(connection, &closed))
			failure = closed;
	}
	if (kind == DB_OUTAGE)
		ctx->session->attempt.outage = failure;
	else if (kind == DB_SETUP)
		call_fail(ctx, call, FAILURE_UNSUPPORTED, "INIT_DISABLED", NULL, "%s",
			failure.message);
	else if (kind != DB_OK)
		call_fail(ctx, call, FAILURE_INTERNAL, "INIT_FAILED", NULL, "%s", failure.message);
	return kind == DB_OK;
}

/* The failure of an `outside` command: it passes, or it is the command's own. */
static void context_fail_outside(struct context *ctx, struct call *call,
	const struct db_failure *failure)
{
	const char *details = arena_printf(ctx->arena, "{\"sqlstate\":\"%s\"}", failure->sqlstate);
	if (failure->kind == DB_OUTAGE || failure->kind == DB_LOST)
		ctx->session->attempt.outage = *failure;
	else if (strcmp(failure->sqlstate, "57014") == 0)
		call_fail(ctx, call, FAILURE_TIMEOUT, "STATEMENT_TIMEOUT", details,
			"a statement of the command exceeded the time that "
			"postgres.statementTimeoutMillis allows");
	else
		call_fail(ctx, call, FAILURE_INTERNAL, "DATABASE_ERROR", details, "%s",
			failure->message);
}

bool context_prune(struct context *ctx, struct call *call, struct prune *prune,
	struct prune_item *items, size_t count)
{
	const struct context_session *session = ctx->session;
	struct db_failure failure = { .kind = DB_OK };
	prune->connection = session->connection;
	prune->params = session->params;
	prune->schema = ctx->schema;
	prune->now_ms = call_now_ms(call);
	failure.kind = session->hooks.prune(session->engine, call, prune, items, count, &failure);
	if (failure.kind != DB_OK)
		context_fail_outside(ctx, call, &failure);
	return failure.kind == DB_OK;
}

void call_defer(struct context *ctx, struct call *call)
{
	(void)ctx;
	call->state = CALL_DEFERRED;
}
