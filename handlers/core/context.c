/* context.c - see context.h and handlers/core/context.h */
#include "handlers/core/context_engine.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/connection/copy.h"
#include "schemas/avro/encode.h"
#include "schemas/base/utf8.h"
#include "schemas/json/json.h"

#define MESSAGE_MAX 1024
/* Keys that were there come in swarms (a client sends its spans again): so many turns that could
 * copy do not, after one that met such a key, or could not copy for another reason. */
#define COPIES_REST 100
/* No row is shorter by so much in a reply: what is beyond as many times its size fits in none. */
#define ROWS_PART ((size_t)4)

/* One statement of a turn that is on its way. */
struct pending {
	struct context *ctx;
	context_result_fn *done;
	void *arg;
	struct call *bounded; /* of context_bound; NULL: no */
};

struct context *context_new(struct context_link *link, struct arena *arena, struct params *params,
	struct call **calls, size_t count)
{
	struct context *ctx = arena_alloc(arena, sizeof(*ctx));
	*ctx = (struct context){
		.calls = calls,
		.count = count,
		.arena = arena,
		.params = params,
		.schema = link->schema,
		.in_transaction = link->in_transaction,
		.settings = link->settings,
		.hints = link->hints,
		.link = link,
	};
	return ctx;
}

void context_run(struct context *ctx)
{
	/* They may have been run before, and been undone. */
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
	if (pending->bounded && connection_rows_cut(pending->ctx->link->connection))
		pending->bounded->cut = true;
	if (pending->done)
		pending->done(pending->ctx, rows, pending->arg);
}

void context_send_sql(struct context *ctx, const char *sql, context_result_fn *done, void *arg)
{
	struct pending *pending = arena_alloc(ctx->arena, sizeof(*pending));
	*pending = (struct pending){ ctx, done, arg, ctx->link->bounded };
	connection_send(ctx->link->connection, sql, ctx->schema, ctx->params, context_take_rows,
		pending, ctx);
	if (pending->bounded)
		connection_bound(ctx->link->connection, ROWS_PART * ctx->settings->max_reply_bytes);
	ctx->link->bounded = NULL;
	params_reset(ctx->params);
}

void context_send(struct context *ctx, int statement, context_result_fn *done, void *arg)
{
	context_send_sql(ctx, statement_defs[statement].sql, done, arg);
}

void context_bound(struct context *ctx, struct call *call)
{
	ctx->link->bounded = call;
}

bool context_use_hints(struct context *ctx)
{
	if (ctx->link->isolating || ctx->link->none_new)
		return false;
	ctx->link->used_hints = true;
	return true;
}

bool context_insert_optimistically(struct context *ctx, struct datum table, uint32_t count)
{
	struct context_link *link = ctx->link;
	if (link->isolating || link->none_new || link->costly ||
		!new_rows_expected(&link->new_rows, table.text, table.size, count))
		return false;
	ctx->expects_new = true;
	return true;
}

void context_costly(struct context *ctx)
{
	ctx->link->costly = true;
}

bool context_copy_begin(struct context *ctx, const char *sql)
{
	struct context_link *link = ctx->link;
	if (!link->in_transaction || link->isolating)
		return false;
	if (link->copies_rest > 0) {
		link->copies_rest--;
		return false;
	}
	return copy_begin(link->connection, sql, ctx->schema, ctx);
}

void context_copy_rows(struct context *ctx, int copy)
{
	size_t size;
	const void *bytes = copy_bytes(ctx->params, copy, &size);
	copy_rows(ctx->link->connection, bytes, size);
	copy_forget(ctx->params, copy);
}

bool context_copy_end(struct context *ctx, int copy)
{
	copy_close(ctx->params, copy);
	context_copy_rows(ctx, copy);
	params_reset(ctx->params);
	enum copy_end end = copy_end(ctx->link->connection, ctx);
	if (end != COPY_DONE)
		ctx->link->copies_rest = COPIES_REST;
	return end != COPY_CONFLICT;
}

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

/* A write whose reply can't be had has had its effect: it is taken back and answered so. */
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
	struct buffer *buffer = ctx->link->reply;
	buffer_clear(buffer);
	struct datum reply = datum_record(&result, 1);
	enum encode_verdict verdict = encode(buffer, call->reply_type, &reply, why, sizeof(why));
	if (verdict != ENCODE_OK) {
		fail_reply(ctx, call, verdict, why);
		return;
	}
	call->reply = arena_copy(ctx->arena, (const char *)buffer->data, buffer->size);
	call->reply_size = buffer->size;
	ctx->link->reply_bytes += buffer->size;
}

void call_reply_null(struct context *ctx, struct call *call)
{
	call_reply(ctx, call, datum_null());
}

const void *call_address(struct context *ctx, struct call *call, size_t *size)
{
	return ctx->link->hooks->address(ctx->link->engine, call, ctx->arena, size);
}

bool context_init_storage(struct context *ctx, struct call *call, int64_t *statements)
{
	struct db_failure failure;
	enum db_kind kind = ctx->link->hooks->init_storage(ctx->link->engine, statements, &failure);
	if (kind == DB_OUTAGE)
		ctx->link->outage = failure;
	else if (kind != DB_OK)
		call_fail(ctx, call, FAILURE_INTERNAL, "INIT_FAILED", NULL, "%s", failure.message);
	return kind == DB_OK;
}

void call_defer(struct context *ctx, struct call *call)
{
	(void)ctx;
	call->state = CALL_DEFERRED;
}
