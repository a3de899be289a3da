/* transaction.c - see transaction.h */
#include "worker/engine/transaction.h"

#include <stdlib.h>
#include <string.h>

#include "schemas/base/clock.h"
#include "worker/engine/reply.h"

/* Turns that are sent before their results are taken in: keeps the server busy, and bounds what
 * results take in memory. */
#define CONTEXTS_AHEAD 64
/* ... where their replies are large. */
#define CONTEXTS_AHEAD_LARGE 8
#define REPLIES_LARGE ((size_t)1024 * 1024)
/* Replies are kept until the batch is in: with so many bytes of them it ends early. */
#define REPLIES_MOST ((size_t)16 * 1024 * 1024)

/* How far each lane of the batch has got, while turns are put together. */
struct cursor {
	struct batch *batch;
	size_t next[WORK_LANES_MAX];
	size_t sent; /* turns since the last drain */
};

/* One attempt at a batch. */
struct attempt {
	struct transaction *transaction;
	struct batch *batch;
	struct db_failure *failure;
	bool open; /* a transaction is begun */
};

static bool is_runnable(const struct job *job)
{
	return !job->skip && !job->refused && !job->detached;
}

static struct job *transaction_front(struct cursor *cursor, size_t place)
{
	const struct batch_lane *part = &cursor->batch->lanes[place];
	while (cursor->next[place] < part->count) {
		struct job *job = &cursor->batch->jobs[part->first + cursor->next[place]];
		if (is_runnable(job))
			return job;
		cursor->next[place]++;
	}
	return NULL;
}

/* Alone each has a fold group of its own; commands of one group have one handler. */
static bool shares_context(const struct job *job, const struct job *first)
{
	return job->call.command->fold_group == first->call.command->fold_group;
}

/* The commands at the fronts of all lanes that can share a turn with the first one's. */
static size_t transaction_gather(struct cursor *cursor, const struct job *first,
	struct call **calls)
{
	size_t count = 0;
	for (size_t i = first->lane_place; i < cursor->batch->lane_count; i++) {
		struct job *job;
		while ((job = transaction_front(cursor, i)) && shares_context(job, first)) {
			job->call.origin = job;
			calls[count++] = &job->call;
			cursor->next[i]++;
			if (!(job->call.command->flags & COMMAND_FOLD))
				return count;
		}
	}
	return count;
}

static struct context *next_context(struct attempt *attempt, struct cursor *cursor)
{
	struct batch *batch = attempt->batch;
	for (size_t i = 0; i < batch->lane_count; i++) {
		struct job *job = transaction_front(cursor, i);
		if (!job)
			continue;
		size_t most = job->call.command->flags & COMMAND_FOLD ? batch->job_count : 1;
		struct call **calls = arena_calloc(batch->arena, most, sizeof(*calls));
		size_t count = transaction_gather(cursor, job, calls);
		return context_new(&attempt->transaction->link, batch->arena,
			attempt->transaction->params, calls, count);
	}
	return NULL;
}

static enum db_kind transaction_drain(struct attempt *attempt)
{
	struct connection *connection = attempt->transaction->connection;
	/* Without a transaction each drain ends what was sent at a sync. */
	return attempt->open ? connection_drain(connection, attempt->failure)
			     : connection_sync(connection, attempt->failure);
}

/* Calls past their deadline are answered so and left out; the others get their time. */
static void start_calls(struct context *ctx)
{
	int64_t now = clock_now_ms();
	size_t kept = 0;
	for (size_t i = 0; i < ctx->count; i++) {
		struct call *call = ctx->calls[i];
		int64_t deadline = job_of(call)->headers.deadline_ms;
		call->now_ms = now;
		if (deadline && now > deadline)
			call_fail(ctx, call, FAILURE_TIMEOUT, "DEADLINE_PASSED", NULL,
				"the command's turn came %lld ms after its deadline",
				(long long)(now - deadline));
		else
			ctx->calls[kept++] = call;
	}
	ctx->count = kept;
}

/* Is it the fault of a command, or of a table that clients have named, and not of the installation? */
static bool is_command_failure(const struct db_failure *failure)
{
	const struct context *ctx = failure->tag;
	if (failure->kind != DB_SETUP)
		return failure->kind == DB_COMMAND;
	return ctx && (ctx->calls[0]->command->flags & COMMAND_NAMED) &&
		strncmp(failure->sqlstate, "42", 2) == 0;
}

/* The turn's command failed in the database, alone: its own error. */
static void fail_context(struct attempt *attempt, struct context *ctx)
{
	const struct db_failure *f = attempt->failure;
	enum failure_category category = FAILURE_INTERNAL;
	if (strncmp(f->sqlstate, "22", 2) == 0 || strncmp(f->sqlstate, "54", 2) == 0)
		category = FAILURE_INVALID;
	else if (strncmp(f->sqlstate, "23", 2) == 0)
		category = FAILURE_CONFLICT;
	else if (strcmp(f->sqlstate, "57014") == 0)
		category = FAILURE_TIMEOUT;
	const char *details = arena_printf(ctx->arena, "{\"sqlstate\":\"%s\"}", f->sqlstate);
	bool pattern = strcmp(f->sqlstate, "2201B") == 0; /* that PostgreSQL can't read */
	for (size_t i = 0; i < ctx->count; i++) {
		struct call *call = ctx->calls[i];
		if (pattern && call->patterns)
			call_fail_at(ctx, call, "INVALID_FILTER", call->patterns, f->message);
		else
			call_fail(ctx, call, category, "DATABASE_ERROR", details, "%s", f->message);
	}
}

static void transaction_send_plain(struct attempt *attempt, const char *sql)
{
	connection_send(attempt->transaction->connection, sql, NULL, NULL, NULL, NULL, NULL);
}

/* One turn behind a savepoint of its own. Returns DB_OK also when it failed for its own sake:
 * then it is undone, *failed is set. */
static enum db_kind try_context(struct attempt *attempt, struct context *ctx, bool *failed)
{
	*failed = false;
	if (attempt->open)
		transaction_send_plain(attempt, "SAVEPOINT stowage_command");
	context_run(ctx);
	enum db_kind kind = transaction_drain(attempt);
	if (kind == DB_OK && attempt->open)
		transaction_send_plain(attempt, "RELEASE SAVEPOINT stowage_command");
	if (kind == DB_OK || !is_command_failure(attempt->failure))
		return kind;
	*failed = true;
	struct db_failure cause = *attempt->failure;
	if (attempt->open)
		transaction_send_plain(attempt, "ROLLBACK TO SAVEPOINT stowage_command");
	kind = transaction_drain(attempt);
	*attempt->failure = cause;
	return kind;
}

/* Halves a failing turn, in order, until the culprit stands alone. Depth is the logarithm of the
 * batch's size. */
static enum db_kind transaction_bisect(struct attempt *attempt, struct context *ctx)
{
	bool failed;
	enum db_kind kind = try_context(attempt, ctx, &failed);
	if (kind != DB_OK || !failed)
		return kind;
	if (ctx->count == 1) {
		fail_context(attempt, ctx);
		return DB_OK;
	}
	metrics_add(attempt->transaction->engine->metrics, METRIC_BISECTIONS, 1);
	struct transaction *t = attempt->transaction;
	size_t half = ctx->count / 2;
	struct context *low = context_new(&t->link, ctx->arena, t->params, ctx->calls, half);
	struct context *high = context_new(&t->link, ctx->arena, t->params, ctx->calls + half,
		ctx->count - half);
	kind = transaction_bisect(attempt, low);
	return kind == DB_OK ? transaction_bisect(attempt, high) : kind;
}

static enum db_kind run_context(struct attempt *attempt, struct cursor *cursor, struct context *ctx)
{
	if (attempt->transaction->link.isolating)
		return transaction_bisect(attempt, ctx);
	context_run(ctx);
	bool barrier = ctx->count > 0 && (ctx->calls[0]->command->flags & COMMAND_BARRIER);
	size_t ahead = attempt->transaction->link.reply_bytes > REPLIES_LARGE ? CONTEXTS_AHEAD_LARGE
									      : CONTEXTS_AHEAD;
	if (!barrier && ++cursor->sent < ahead)
		return DB_OK;
	cursor->sent = 0;
	return transaction_drain(attempt);
}

/* A command that runs outside of a transaction says by its link that it is to be run again. */
static enum db_kind outside_failure(struct attempt *attempt)
{
	struct db_failure *outage = &attempt->transaction->link.outage;
	enum db_kind kind = outage->kind;
	if (kind != DB_OK)
		*attempt->failure = *outage;
	*outage = (struct db_failure){ .kind = DB_OK };
	return kind;
}

static enum db_kind run_contexts(struct attempt *attempt)
{
	struct cursor cursor = { .batch = attempt->batch };
	struct context *ctx;
	while ((ctx = next_context(attempt, &cursor))) {
		start_calls(ctx);
		if (ctx->count == 0)
			continue;
		enum db_kind kind = run_context(attempt, &cursor, ctx);
		if (kind == DB_OK)
			kind = outside_failure(attempt);
		if (kind != DB_OK)
			return kind;
		if (attempt->transaction->link.reply_bytes > REPLIES_MOST) {
			batch_cut(attempt->batch, cursor.next);
			break;
		}
	}
	return transaction_drain(attempt);
}

static void transaction_begin(struct attempt *attempt)
{
	struct lane_row rows[WORK_LANES_MAX];
	batch_rows(attempt->batch, rows);
	lane_rows_begin(attempt->transaction->connection, &attempt->transaction->table, rows,
		attempt->batch->lane_count,
		attempt->transaction->engine->config->postgres.lock_timeout_ms);
	attempt->open = true;
	attempt->transaction->link.in_transaction = true;
}

/* Handlers that gave no outcome; writes whose reply can't be had, which are to be taken back. */
static bool transaction_settle(struct attempt *attempt)
{
	bool undo = false;
	for (size_t i = 0; i < attempt->batch->job_count; i++) {
		struct job *job = &attempt->batch->jobs[i];
		if (!is_runnable(job))
			continue;
		if (job->call.state == CALL_PENDING)
			job_refuse(job, attempt->batch->arena, FAILURE_INTERNAL, "NO_OUTCOME",
				"%s ended without an outcome: a defect of stowage",
				job->call.command->name);
		if (job->call.undo) {
			job->refused = true;
			undo = true;
		}
	}
	return undo;
}

static void store_message(struct batch_lane *part, const struct outgoing *message)
{
	outgoing_write(&part->payload, message);
	part->stored++;
}

/* Puts together what must survive: one outbox row a lane. */
static bool build_stored(struct attempt *attempt)
{
	struct batch *batch = attempt->batch;
	const struct engine *engine = attempt->transaction->engine;
	bool any = false;
	for (size_t i = 0; i < batch->lane_count; i++) {
		batch->lanes[i].payload.size = 0;
		batch->lanes[i].stored = 0;
	}
	for (size_t i = 0; i < batch->job_count; i++) {
		const struct job *job = &batch->jobs[i];
		struct batch_lane *part = &batch->lanes[job->lane_place];
		struct outgoing message;
		if (!job_is_stored(job))
			continue;
		any = true;
		if (job_replies(job)) {
			reply_build(job, engine, batch->arena, &message);
			store_message(part, &message);
		}
		if (job_is_dead_letter(job)) {
			reply_dead_letter(job, engine, batch->arena, &message);
			store_message(part, &message);
		}
	}
	return any;
}

static void transaction_send_rows(struct attempt *attempt)
{
	struct batch *batch = attempt->batch;
	struct transaction *t = attempt->transaction;
	struct lane_row rows[WORK_LANES_MAX];
	batch_rows(batch, rows);
	for (size_t i = 0; i < batch->lane_count; i++) {
		struct batch_lane *part = &batch->lanes[i];
		part->new_applied = rows[i].applied;
		part->new_answered = rows[i].answered;
		if (part->stored) {
			/* The epoch is this worker's alone, so no other ever has this number. */
			part->seq = part->epoch << 32 | part->lane->seq++;
			lane_rows_store(t->connection, &t->table, &rows[i], part->seq,
				part->payload.bytes, part->payload.size);
		}
		if (part->acked_count)
			lane_rows_delete(t->connection, &t->table, &rows[i], part->acked,
				part->acked_count);
	}
	lane_rows_advance(t->connection, &t->table, rows, batch->lane_count);
}

static enum db_kind transaction_commit(struct attempt *attempt)
{
	transaction_send_rows(attempt);
	transaction_send_plain(attempt, "COMMIT");
	enum db_kind kind = connection_sync(attempt->transaction->connection, attempt->failure);
	/* libpq calls a COMMIT that rolled back a success. */
	if (kind == DB_OK &&
		strcmp(connection_last_tag(attempt->transaction->connection), "COMMIT") != 0) {
		*attempt->failure = (struct db_failure){ .kind = DB_CONTEND,
			.message = "COMMIT was answered by ROLLBACK" };
		return DB_CONTEND;
	}
	return kind;
}

static bool has_writes(const struct batch *batch)
{
	for (size_t i = 0; i < batch->job_count; i++)
		if (is_runnable(&batch->jobs[i]) && batch->jobs[i].write)
			return true;
	return false;
}

/* All of it once. *again: it is to be run anew, without the commands that are refused now. */
static enum db_kind run_once(struct attempt *attempt, bool *again)
{
	struct batch *batch = attempt->batch;
	*again = false;
	if (!batch->outside && (has_writes(batch) || batch->job_count == 0))
		transaction_begin(attempt);
	enum db_kind kind = run_contexts(attempt);
	if (kind != DB_OK)
		return kind;
	*again = transaction_settle(attempt);
	if (*again)
		return DB_OK;
	/* A read beside its lane has no row of it to keep anything with: it is run again. */
	bool stored = !batch->read && build_stored(attempt);
	if (!attempt->open && !stored && !batch->outside)
		return DB_OK;
	if (!attempt->open)
		transaction_begin(attempt);
	return transaction_commit(attempt);
}

/* A guess that was wrong may name what is not there (any more): that is not the database's state. */
static bool may_be_command_failure(const struct transaction *transaction,
	const struct db_failure *failure)
{
	return is_command_failure(failure) ||
		(failure->kind == DB_SETUP && transaction->link.used_hints);
}

/* A row that was expected to be new is there already: mostly nobody's fault, and the batch runs again. */
static bool was_not_new(struct transaction *transaction, const struct db_failure *failure)
{
	struct context_link *link = &transaction->link;
	const struct context *ctx = failure->tag; /* none: a constraint that is checked by COMMIT */
	if (failure->kind != DB_COMMAND || strcmp(failure->sqlstate, DB_UNIQUE_VIOLATION) != 0 ||
		!(ctx ? ctx->expects_new : new_rows_tried(&link->new_rows)))
		return false;
	new_rows_failed(&link->new_rows);
	link->none_new = true;
	metrics_add(transaction->engine->metrics, METRIC_OPTIMISTIC_INSERT_RETRIES, 1);
	return true;
}

static void start_batch(struct context_link *link)
{
	link->isolating = false;
	link->none_new = false;
}

static void start_attempt(struct attempt *attempt)
{
	struct context_link *link = &attempt->transaction->link;
	attempt->open = false;
	link->in_transaction = false;
	link->used_hints = false;
	link->costly = false;
	link->reply_bytes = 0;
	new_rows_begin(&link->new_rows);
}

enum db_kind transaction_run(struct transaction *transaction, struct batch *batch,
	struct db_failure *failure, bool *written)
{
	struct attempt attempt = { .transaction = transaction, .batch = batch, .failure = failure };
	bool again;
	enum db_kind kind;
	start_batch(&transaction->link);
	for (;;) {
		start_attempt(&attempt);
		kind = run_once(&attempt, &again);
		*written = attempt.open;
		if (kind == DB_OK && !again) {
			new_rows_held(&transaction->link.new_rows);
			return kind;
		}
		if (attempt.open || kind != DB_OK)
			connection_rollback(transaction->connection);
		if (kind == DB_OK)
			continue; /* without what is refused now */
		if (was_not_new(transaction, failure))
			continue;
		if (transaction->link.isolating || !may_be_command_failure(transaction, failure))
			return kind;
		transaction->link.isolating = true;
	}
}
