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
#include "schemas/base/utf8.h"
#include "schemas/json/json.h"

#define MESSAGE_MAX 1024
/* Duplicates arrive in bursts (a client resends its spans), so the next 100 eligible contexts do not
 * COPY after one that met an existing key or could not COPY for another reason. */
#define COPIES_SKIP 100
/* A row takes at least a quarter of its size in a reply: rows beyond four times the limit fit in
 * none. */
#define ROWS_PER_REPLY ((size_t)4)

/* A statement in flight. */
struct pending {
	struct context *ctx;
	context_result_fn *done;
	void *arg;
	struct call *bounded; /* context_bound's call; NULL: none */
};

void context_start_attempt(struct context_session *session)
{
	session->attempt = (struct context_attempt){ 0 };
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
		.schema = session->schema,
		.in_transaction = session->attempt.in_transaction,
		.settings = session->settings,
		.hints = session->hints,
		.session = session,
	};
	return ctx;
}

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
	params_reset(ctx->params);
	ctx->calls[0]->command->handler(ctx);
	params_reset(ctx->params);
}

static void context_take_rows(void *arg, const struct rows *rows)
{
	struct pending *pending = arg;
	if (pending->bounded && connection_rows_cut(pending->ctx->session->connection))
		pending->bounded->cut = true;
	if (pending->done)
		pending->done(pending->ctx, rows, pending->arg);
}

typedef void context_send_fn(struct connection *connection, const char *sql, const char *schema,
	struct params *params, connection_result_fn *done, void *arg, void *tag);

static void context_send_with(struct context *ctx, context_send_fn *send, const char *sql,
	context_result_fn *done, void *arg)
{
	struct context_session *session = ctx->session;
	struct pending *pending = arena_alloc(ctx->arena, sizeof(*pending));
	*pending = (struct pending){ ctx, done, arg, session->attempt.bounded };
	send(session->connection, sql, ctx->schema, ctx->params, context_take_rows, pending, ctx);
	if (pending->bounded)
		connection_bound(session->connection,
			ROWS_PER_REPLY * ctx->settings->max_reply_bytes);
	session->attempt.bounded = NULL;
	params_reset(ctx->params);
}

void context_send(struct context *ctx, int statement, context_result_fn *done, void *arg)
{
	context_send_with(ctx, connection_send, statement_defs[statement].sql, done, arg);
}

void context_send_sql(struct context *ctx, const char *sql, context_result_fn *done, void *arg)
{
	context_send_with(ctx, connection_send_composed, sql, done, arg);
}

void context_bound(struct context *ctx, struct call *call)
{
	ctx->session->attempt.bounded = call;
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
	return copy_begin(session->connection, sql, ctx->schema, ctx);
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
	struct datum reply = datum_record(&result, 1);
	enum encode_verdict verdict = encode(buffer, call->reply_type, &reply, why, sizeof(why));
	if (verdict == ENCODE_OK &&
		buffer->size + call->envelope_bytes > ctx->settings->max_reply_bytes)
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
	struct db_failure failure;
	enum db_kind kind = ctx->session->hooks.init_storage(ctx->session->engine, statements,
		&failure);
	if (kind == DB_OUTAGE)
		ctx->session->attempt.outage = failure;
	else if (kind == DB_SETUP)
		call_fail(ctx, call, FAILURE_UNSUPPORTED, "INIT_DISABLED", NULL, "%s",
			failure.message);
	else if (kind != DB_OK)
		call_fail(ctx, call, FAILURE_INTERNAL, "INIT_FAILED", NULL, "%s", failure.message);
	return kind == DB_OK;
}

void call_defer(struct context *ctx, struct call *call)
{
	(void)ctx;
	call->state = CALL_DEFERRED;
}
