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
	struct turn *turn;
	turn_result_fn *done;
	void *arg;
	struct call *bounded; /* of turn_bound; NULL: no */
};

struct turn *turns_new(struct turn_link *link, struct arena *arena, struct params *params,
	struct call **calls, size_t count)
{
	struct turn *turn = arena_alloc(arena, sizeof(*turn));
	*turn = (struct turn){
		.calls = calls,
		.count = count,
		.arena = arena,
		.params = params,
		.schema = link->schema,
		.in_transaction = link->in_transaction,
		.settings = link->settings,
		.notes = link->notes,
		.link = link,
	};
	return turn;
}

void turns_run(struct turn *turn)
{
	/* They may have been run before, and been undone. */
	for (size_t i = 0; i < turn->count; i++) {
		struct call *call = turn->calls[i];
		call->state = CALL_PENDING;
		call->cut = false;
		call->repairs = 0;
		call->undo = false;
	}
	params_reset(turn->params);
	turn->calls[0]->command->handler(turn);
	params_reset(turn->params);
}

static void take_rows(void *arg, const struct rows *rows)
{
	struct pending *pending = arg;
	if (pending->bounded && connection_rows_cut(pending->turn->link->connection))
		pending->bounded->cut = true;
	if (pending->done)
		pending->done(pending->turn, rows, pending->arg);
}

void turn_send_sql(struct turn *turn, const char *sql, turn_result_fn *done, void *arg)
{
	struct pending *pending = arena_alloc(turn->arena, sizeof(*pending));
	*pending = (struct pending){ turn, done, arg, turn->link->bounded };
	connection_send(turn->link->connection, sql, turn->schema, turn->params, take_rows, pending,
		turn);
	if (pending->bounded)
		connection_bound(turn->link->connection,
			ROWS_PART * turn->settings->max_reply_bytes);
	turn->link->bounded = NULL;
	params_reset(turn->params);
}

void turn_send(struct turn *turn, int statement, turn_result_fn *done, void *arg)
{
	turn_send_sql(turn, statement_defs[statement].sql, done, arg);
}

void turn_bound(struct turn *turn, struct call *call)
{
	turn->link->bounded = call;
}

bool turn_guess(struct turn *turn)
{
	if (turn->link->careful || turn->link->none_new)
		return false;
	turn->link->guessed = true;
	return true;
}

bool turn_expect_new(struct turn *turn, struct datum table, uint32_t count)
{
	struct turn_link *link = turn->link;
	if (link->careful || link->none_new || link->costly ||
		!new_rows_expected(&link->new_rows, table.text, table.size, count))
		return false;
	turn->expects_new = true;
	return true;
}

void turn_costly(struct turn *turn)
{
	turn->link->costly = true;
}

bool turn_copy_begin(struct turn *turn, const char *sql)
{
	struct turn_link *link = turn->link;
	if (!link->in_transaction || link->careful)
		return false;
	if (link->copies_rest > 0) {
		link->copies_rest--;
		return false;
	}
	return copy_begin(link->connection, sql, turn->schema, turn);
}

void turn_copy_rows(struct turn *turn, int copy)
{
	size_t size;
	const void *bytes = copy_bytes(turn->params, copy, &size);
	copy_rows(turn->link->connection, bytes, size);
	copy_forget(turn->params, copy);
}

bool turn_copy_end(struct turn *turn, int copy)
{
	copy_close(turn->params, copy);
	turn_copy_rows(turn, copy);
	params_reset(turn->params);
	enum copy_end end = copy_end(turn->link->connection, turn);
	if (end != COPY_DONE)
		turn->link->copies_rest = COPIES_REST;
	return end != COPY_CONFLICT;
}

void call_fail(struct turn *turn, struct call *call, enum failure_category category,
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
		.message = arena_copy(turn->arena, text, strlen(text)),
		.details = details_json,
	};
}

void call_fail_at(struct turn *turn, struct call *call, const char *code, const char *path,
	const char *why)
{
	struct json_text details = json_text_new(turn->arena);
	json_text_puts(&details, "{\"path\":");
	json_text_string(&details, path, strlen(path));
	json_text_puts(&details, "}");
	call_fail(turn, call, FAILURE_INVALID, code, json_text_end(&details).text, "%s: %s", path,
		why);
}

/* A write whose reply can't be had has had its effect: it is taken back and answered so. */
static void fail_reply(struct turn *turn, struct call *call, enum encode_verdict verdict,
	const char *why)
{
	if (verdict == ENCODE_TOO_LARGE)
		call_fail(turn, call, FAILURE_INVALID, "REPLY_TOO_LARGE", NULL,
			"the reply is larger than replies.maxBytes (%zu): ask for less at a time",
			turn->settings->max_reply_bytes);
	else
		call_fail(turn, call, FAILURE_INTERNAL, "REPLY_MISFIT", NULL,
			"the reply does not fit its schema: %s (a defect of stowage)", why);
	call->undo = (call->command->flags & COMMAND_WRITE) != 0;
}

void call_reply(struct turn *turn, struct call *call, struct datum result)
{
	call->state = CALL_DONE;
	if (!call->wants_reply)
		return;
	if (call->cut) {
		fail_reply(turn, call, ENCODE_TOO_LARGE, NULL);
		return;
	}
	char why[256];
	struct buffer *buffer = turn->link->reply;
	buffer_clear(buffer);
	struct datum reply = datum_record(&result, 1);
	enum encode_verdict verdict = encode(buffer, call->reply_type, &reply, why, sizeof(why));
	if (verdict != ENCODE_OK) {
		fail_reply(turn, call, verdict, why);
		return;
	}
	call->reply = arena_copy(turn->arena, (const char *)buffer->data, buffer->size);
	call->reply_size = buffer->size;
	turn->link->reply_bytes += buffer->size;
}

void call_reply_null(struct turn *turn, struct call *call)
{
	call_reply(turn, call, datum_null());
}

const void *call_address(struct turn *turn, struct call *call, size_t *size)
{
	return turn->link->hooks->address(turn->link->engine, call, turn->arena, size);
}

bool turn_init_storage(struct turn *turn, struct call *call, int64_t *statements)
{
	struct db_failure failure;
	enum db_kind kind = turn->link->hooks->init_storage(turn->link->engine, statements,
		&failure);
	if (kind == DB_OUTAGE)
		turn->link->outage = failure;
	else if (kind != DB_OK)
		call_fail(turn, call, FAILURE_INTERNAL, "INIT_FAILED", NULL, "%s", failure.message);
	return kind == DB_OK;
}

void call_defer(struct turn *turn, struct call *call)
{
	(void)turn;
	call->state = CALL_DEFERRED;
}
