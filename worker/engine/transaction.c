/* transaction.c - runs a batch, and climbs the ladder of attempts when one fails */
#include "worker/engine/transaction.h"

#include <stdlib.h>
#include <string.h>

#include "schemas/base/clock.h"
#include "worker/engine/cursor.h"
#include "worker/engine/idempotency.h"
#include "worker/engine/reply.h"

/* A server that is short of memory recovers. After this many failures in a row the statement itself
 * needs too much. */
#define MEMORY_PASSING 6

/* One attempt at a batch. */
struct attempt {
	struct transaction *transaction;
	struct batch *batch;
	struct db_failure *failure;
};

static bool is_open(const struct attempt *attempt)
{
	return attempt->transaction->session.attempt.in_transaction;
}

static enum db_kind attempt_drain(struct attempt *attempt)
{
	struct connection *connection = attempt->transaction->connection;
	/* Without a transaction, each drain ends what was sent with a sync. */
	return is_open(attempt) ? connection_drain(connection, attempt->failure)
				: connection_sync(connection, attempt->failure);
}

static void send_command(struct attempt *attempt, const char *sql)
{
	connection_send(attempt->transaction->connection, sql, NULL, NULL, NULL, NULL, NULL);
}

/* Did a command (or a table named by a client) cause this failure, rather than a broken
 * installation? */
static bool is_command_failure(const struct transaction *t, const struct db_failure *failure)
{
	static const char *const of_table[] = { "23", "42", "55", "XX" };
	const struct context *ctx = failure->tag;
	if (strcmp(failure->sqlstate, "53200") == 0)
		return ctx && t->retries >= MEMORY_PASSING;
	if (failure->kind != DB_SETUP)
		return failure->kind == DB_COMMAND;
	bool table = false;
	for (size_t i = 0; i < sizeof(of_table) / sizeof(of_table[0]); i++)
		table |= strncmp(failure->sqlstate, of_table[i], 2) == 0;
	return table && ctx && (ctx->calls[0]->command->flags & COMMAND_NAMED);
}

/* --- contexts --- */

/* Fails calls past their deadline and leaves them out; the others get their time. */
static void start_calls(const struct attempt *attempt, struct context *ctx)
{
	int64_t wall_us = clock_now_us(), now = wall_us / 1000;
	int64_t first_us = order_clock_take(attempt->transaction->engine->clock, wall_us,
		ctx->count);
	size_t kept = 0;
	for (size_t i = 0; i < ctx->count; i++) {
		struct call *call = ctx->calls[i];
		call->now_us = first_us + (int64_t)i;
		if (call->deadline_ms && now > call->deadline_ms)
			call_fail(ctx, call, FAILURE_TIMEOUT, "DEADLINE_PASSED", NULL,
				"the command's deadline passed %lld ms before it could begin",
				(long long)(now - call->deadline_ms));
		else
			ctx->calls[kept++] = call;
	}
	ctx->count = kept;
}

static enum failure_category sqlstate_category(const char *sqlstate)
{
	static const char *const invalid[] = { "22", "53", "54" };
	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++)
		if (strncmp(sqlstate, invalid[i], 2) == 0)
			return FAILURE_INVALID;
	if (strncmp(sqlstate, "23", 2) == 0)
		return FAILURE_CONFLICT;
	return strcmp(sqlstate, "57014") == 0 ? FAILURE_TIMEOUT : FAILURE_INTERNAL;
}

/* The context's command failed in the database, alone: that is its own error. */
static void fail_context(struct attempt *attempt, struct context *ctx)
{
	const struct db_failure *failure = attempt->failure;
	const char *details = arena_printf(ctx->arena, "{\"sqlstate\":\"%s\"}", failure->sqlstate);
	bool pattern = strcmp(failure->sqlstate, "2201B") == 0; /* invalid regular expression */
	for (size_t i = 0; i < ctx->count; i++) {
		struct call *call = ctx->calls[i];
		if (pattern && call->patterns)
			call_fail_at(ctx, call, "INVALID_FILTER", call->patterns, failure->message);
		else
			call_fail(ctx, call, sqlstate_category(failure->sqlstate), "DATABASE_ERROR",
				details, "%s", failure->message);
	}
}

/* Runs a context behind a savepoint. Returns DB_OK also if its own command failed: then it is
 * undone, and *failed is set. */
static enum db_kind try_context(struct attempt *attempt, struct context *ctx, bool *failed)
{
	*failed = false;
	if (is_open(attempt))
		send_command(attempt, "SAVEPOINT stowage_command");
	context_run(ctx);
	enum db_kind kind = attempt_drain(attempt);
	if (kind == DB_OK && is_open(attempt))
		send_command(attempt, "RELEASE SAVEPOINT stowage_command");
	if (kind == DB_OK || !is_command_failure(attempt->transaction, attempt->failure))
		return kind;
	*failed = true;
	struct db_failure cause = *attempt->failure;
	if (is_open(attempt))
		send_command(attempt, "ROLLBACK TO SAVEPOINT stowage_command");
	kind = attempt_drain(attempt);
	if (kind == DB_OK)
		*attempt->failure = cause;
	return kind;
}

/* Halves a failing context, in order, until the failing command stands alone. The depth is the
 * logarithm of the batch's size. */
static enum db_kind bisect_context(struct attempt *attempt, struct context *ctx)
{
	struct transaction *t = attempt->transaction;
	bool failed;
	enum db_kind kind = try_context(attempt, ctx, &failed);
	if (kind != DB_OK || !failed)
		return kind;
	if (ctx->count == 1) {
		fail_context(attempt, ctx);
		return DB_OK;
	}
	metrics_add(t->engine->metrics, METRIC_BISECTIONS, 1);
	size_t half = ctx->count / 2;
	struct context *low = context_new(&t->session, ctx->arena, ctx->calls, half);
	struct context *high = context_new(&t->session, ctx->arena, ctx->calls + half,
		ctx->count - half);
	kind = bisect_context(attempt, low);
	return kind == DB_OK ? bisect_context(attempt, high) : kind;
}

/* *ahead counts the contexts that were sent since the last drain. */
static enum db_kind run_context(struct attempt *attempt, struct context *ctx, size_t *ahead)
{
	const struct context_session *session = &attempt->transaction->session;
	if (session->level == ATTEMPT_ISOLATING)
		return bisect_context(attempt, ctx);
	context_run(ctx);
	bool barrier = (ctx->calls[0]->command->flags & COMMAND_BARRIER) != 0;
	size_t most = session->attempt.reply_bytes > REPLIES_LARGE ? CONTEXTS_AHEAD_LARGE
								   : CONTEXTS_AHEAD;
	if (!barrier && ++*ahead < most)
		return DB_OK;
	*ahead = 0;
	return attempt_drain(attempt);
}

/* A command that runs outside a transaction reports an outage through its session. */
static enum db_kind outside_failure(struct attempt *attempt)
{
	struct db_failure *outage = &attempt->transaction->session.attempt.outage;
	enum db_kind kind = outage->kind;
	if (kind != DB_OK)
		*attempt->failure = *outage;
	*outage = (struct db_failure){ .kind = DB_OK };
	return kind;
}

static enum db_kind run_contexts(struct attempt *attempt)
{
	struct context_session *session = &attempt->transaction->session;
	struct cursor cursor = { .batch = attempt->batch };
	struct context *ctx;
	size_t ahead = 0;
	while ((ctx = cursor_next(&cursor, session))) {
		start_calls(attempt, ctx);
		if (ctx->count == 0)
			continue;
		enum db_kind kind = run_context(attempt, ctx, &ahead);
		if (kind == DB_OK)
			kind = outside_failure(attempt);
		if (kind != DB_OK)
			return kind;
		if (session->attempt.reply_bytes > BATCH_REPLIES_MAX && cursor_may_stop(&cursor)) {
			batch_cut(attempt->batch, cursor.next);
			break;
		}
	}
	return attempt_drain(attempt);
}

/* --- outcomes --- */

/* Refuses jobs whose handler gave no outcome, and writes whose reply cannot be sent. Returns true if
 * the batch must run again without such a write. */
static bool refuse_unfinished(struct attempt *attempt)
{
	struct batch *batch = attempt->batch;
	bool again = false;
	for (size_t i = 0; i < batch->job_count; i++) {
		struct job *job = &batch->jobs[i];
		for (size_t c = 0; job_runs(job) && c < job->call_count; c++) {
			const struct call *call = &job->calls[c];
			if (call->state == CALL_PENDING)
				job_refuse(job, batch->arena, FAILURE_INTERNAL, "NO_OUTCOME",
					"%s ended without an outcome: a defect of stowage",
					call->command->name);
			else if (call->undo)
				job->refused = again = true;
		}
	}
	return again;
}

static void store_message(struct batch_lane *part, const struct outgoing *message)
{
	outgoing_write(&part->payload, message);
	part->stored++;
}

static void store_job(struct attempt *attempt, const struct job *job)
{
	struct batch *batch = attempt->batch;
	struct batch_lane *part = &batch->lanes[job->lane_place];
	const struct engine *engine = attempt->transaction->engine;
	struct outgoing message;
	if (job_replies(job)) {
		reply_build(job, engine, batch->arena, &message);
		store_message(part, &message);
	}
	if (job->disposition == DISPOSITION_DEAD_LETTER) {
		reply_dead_letter(job, engine, batch->arena, &message);
		store_message(part, &message);
	}
}

/* Concludes the jobs and puts what must survive a crash into one outbox row a lane. Returns false if
 * there is nothing to store. */
static bool conclude_jobs(struct attempt *attempt)
{
	struct batch *batch = attempt->batch;
	bool any = false;
	for (size_t i = 0; i < batch->lane_count; i++) {
		batch->lanes[i].payload.size = 0;
		batch->lanes[i].stored = 0;
	}
	for (size_t i = 0; i < batch->job_count; i++) {
		struct job *job = &batch->jobs[i];
		job_conclude(job);
		/* A detached read has no row to store anything in: a crash runs it again. */
		if (!job_is_stored(job) || batch->detached)
			continue;
		store_job(attempt, job);
		any = true;
	}
	return any;
}

/* --- begin and commit --- */

static void attempt_begin(struct attempt *attempt)
{
	struct transaction *t = attempt->transaction;
	struct lane_row rows[BATCH_LANES_MAX];
	batch_rows(attempt->batch, rows);
	lane_rows_begin(t->connection, &t->table, rows, attempt->batch->lane_count,
		t->engine->config->postgres.lock_timeout_ms);
	t->session.attempt.in_transaction = true;
}

/* Learns which jobs were applied before under their idempotency keys, and takes the other keys. */
static enum db_kind claim_keys(struct attempt *attempt)
{
	if (!idempotency_claim(attempt->transaction, attempt->batch, is_open(attempt)))
		return DB_OK;
	enum db_kind kind = attempt_drain(attempt);
	if (kind == DB_OK)
		idempotency_claimed(attempt->batch);
	return kind;
}

/* A command that ran outside of a transaction takes its key only now. */
static enum db_kind save_keys(struct attempt *attempt)
{
	enum db_kind kind = DB_OK;
	if (attempt->batch->outside &&
		idempotency_claim(attempt->transaction, attempt->batch, true))
		kind = attempt_drain(attempt);
	if (kind == DB_OK)
		idempotency_save(attempt->transaction, attempt->batch);
	return kind;
}

static void store_row(struct transaction *t, struct batch_lane *part, const struct lane_row *row)
{
	part->new_applied = row->applied;
	part->new_answered = row->answered;
	if (part->stored) {
		part->seq = lanes_next_seq(t->engine->lanes, part->lane);
		lane_rows_store(t->connection, &t->table, row, part->seq, part->payload.data,
			part->payload.size);
	}
	if (part->start.acked_count)
		lane_rows_delete(t->connection, &t->table, row, part->start.acked,
			part->start.acked_count);
}

static enum db_kind attempt_commit(struct attempt *attempt)
{
	struct transaction *t = attempt->transaction;
	struct batch *batch = attempt->batch;
	struct lane_row rows[BATCH_LANES_MAX];
	batch_rows(batch, rows);
	for (size_t i = 0; i < batch->lane_count; i++)
		store_row(t, &batch->lanes[i], &rows[i]);
	lane_rows_advance(t->connection, &t->table, rows, batch->lane_count);
	send_command(attempt, "COMMIT");
	enum db_kind kind = connection_sync(t->connection, attempt->failure);
	/* libpq reports a COMMIT that rolled back as a success. */
	if (kind == DB_OK && strcmp(connection_last_tag(t->connection), "COMMIT") != 0) {
		*attempt->failure = (struct db_failure){ .kind = DB_CONTEND,
			.message = "COMMIT was answered by ROLLBACK" };
		return DB_CONTEND;
	}
	return kind;
}

/* --- attempts --- */

static bool has_writes(const struct batch *batch)
{
	for (size_t i = 0; i < batch->job_count; i++)
		if (job_runs(&batch->jobs[i]) && job_is_write(&batch->jobs[i]))
			return true;
	return false;
}

/* An attempt that failed at COMMIT has concluded jobs already. */
static void start_attempt(struct attempt *attempt)
{
	struct batch *batch = attempt->batch;
	context_start_attempt(&attempt->transaction->session);
	for (size_t i = 0; i < batch->job_count; i++) {
		struct job *job = &batch->jobs[i];
		if (job->disposition != DISPOSITION_SKIP &&
			job->disposition != DISPOSITION_DETACHED)
			job->disposition = DISPOSITION_PENDING;
	}
}

/* Runs the batch once. *again: it must run again, without the jobs that are refused now. */
static enum db_kind run_once(struct attempt *attempt, bool *again)
{
	struct batch *batch = attempt->batch;
	start_attempt(attempt);
	*again = false;
	if (!batch->outside && (has_writes(batch) || batch->job_count == 0))
		attempt_begin(attempt);
	enum db_kind kind = claim_keys(attempt);
	if (kind == DB_OK)
		kind = run_contexts(attempt);
	if (kind != DB_OK)
		return kind;
	*again = refuse_unfinished(attempt);
	if (*again)
		return DB_OK;
	bool stored = conclude_jobs(attempt);
	if (!is_open(attempt) && !stored && !batch->outside)
		return DB_OK;
	if (!is_open(attempt))
		attempt_begin(attempt);
	kind = save_keys(attempt);
	return kind == DB_OK ? attempt_commit(attempt) : kind;
}

/* Did the attempt fail because a row existed that it inserted as new? */
static bool row_existed(const struct context_session *session, const struct db_failure *failure)
{
	return session->attempt.inserted_optimistically && failure->kind == DB_COMMAND &&
		strcmp(failure->sqlstate, DB_UNIQUE_VIOLATION) == 0;
}

/* Did a stale hint cause the failure? A hint may name a dropped object, so a missing object does not
 * prove a broken installation. */
static bool hint_was_stale(const struct context_session *session, const struct db_failure *failure)
{
	return session->attempt.used_hints && failure->kind == DB_SETUP;
}

/* Climbs to the level for the next attempt. False: another attempt cannot help. */
static bool climb(struct transaction *t, const struct db_failure *failure)
{
	struct context_session *session = &t->session;
	if (row_existed(session, failure)) {
		optimistic_insert_failed(&session->optimistic);
		metrics_add(t->engine->metrics, METRIC_OPTIMISTIC_INSERT_RETRIES, 1);
		session->level = ATTEMPT_PLAIN;
	} else if (hint_was_stale(session, failure)) {
		session->level = ATTEMPT_PLAIN;
	} else if (session->level != ATTEMPT_ISOLATING && is_command_failure(t, failure)) {
		session->level = ATTEMPT_ISOLATING;
	} else {
		return false;
	}
	return true;
}

enum db_kind transaction_run(struct transaction *t, struct batch *batch, struct db_failure *failure,
	bool *written)
{
	struct attempt attempt = { .transaction = t, .batch = batch, .failure = failure };
	struct context_session *session = &t->session;
	enum db_kind kind;
	bool again;
	session->level = ATTEMPT_OPTIMISTIC;
	do {
		kind = run_once(&attempt, &again);
		*written = is_open(&attempt);
		if (kind == DB_OK && !again)
			break;
		if (is_open(&attempt) || kind != DB_OK)
			connection_rollback(t->connection);
	} while (kind == DB_OK || climb(t, failure));
	if (kind == DB_OK && session->attempt.inserted_optimistically)
		optimistic_insert_succeeded(&session->optimistic);
	return kind;
}
