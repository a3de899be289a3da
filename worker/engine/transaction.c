/* transaction.c - runs a batch, and climbs the ladder of attempts when one fails */
#include "worker/engine/transaction.h"

#include <stdlib.h>
#include <string.h>

#include "schemas/base/clock.h"
#include "worker/engine/attempt.h"
#include "worker/engine/cursor.h"
#include "worker/engine/group.h"
#include "worker/engine/idempotency.h"
#include "worker/engine/json_message.h"
#include "worker/engine/reply.h"
#include "worker/engine/tenant_check.h"

/* --- contexts --- */

/* Runs a context behind a savepoint. Returns DB_OK also if its own command failed: then it is
 * undone, and *failed is set. */
static enum db_kind try_context(struct attempt *attempt, struct context *ctx, bool *failed)
{
	struct arena_mark mark = arena_mark(ctx->arena);
	*failed = false;
	attempt_limit(attempt, attempt_deadline(ctx));
	if (attempt_is_open(attempt))
		attempt_send(attempt, "SAVEPOINT stowage_command");
	context_run(ctx);
	enum db_kind kind = attempt_drain(attempt);
	if (kind == DB_OK && attempt_is_open(attempt))
		attempt_send(attempt, "RELEASE SAVEPOINT stowage_command");
	if (kind == DB_OK || !attempt_is_command_failure(attempt))
		return kind;
	*failed = true;
	/* A read may have opened a transaction of its own. */
	if (!attempt_is_open(attempt))
		connection_rollback(attempt->transaction->connection);
	struct db_failure cause = *attempt->failure;
	if (attempt_is_open(attempt))
		attempt_send(attempt, "ROLLBACK TO SAVEPOINT stowage_command");
	kind = attempt_drain(attempt);
	if (kind == DB_OK)
		*attempt->failure = cause;
	arena_rewind(ctx->arena, mark);
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
		attempt_fail_context(attempt, ctx);
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
	if (ctx->calls[0]->command->flags & COMMAND_GROUP) {
		*ahead = 0;
		return group_run(attempt, ctx);
	}
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

/* Must the batch end here, so that what is done gets its replies? */
static bool is_time_to_commit(const struct attempt *attempt, int64_t took_ms)
{
	const struct transaction *t = attempt->transaction;
	return t->session.attempt.reply_bytes > BATCH_REPLIES_MAX ||
		arena_used(attempt->batch->arena) > t->session.settings->command_bytes ||
		(t->alone && took_ms >= QUICK_MS);
}

/* Runs a context; returns its duration in *took_ms if it ran alone. */
static enum db_kind time_context(struct attempt *attempt, struct context *ctx, size_t *ahead,
	int64_t *took_ms)
{
	struct transaction *t = attempt->transaction;
	int64_t began = t->alone ? clock_tick_ms() : 0;
	enum db_kind kind = run_context(attempt, ctx, ahead);
	*took_ms = t->alone ? clock_tick_ms() - began : 0;
	if (*took_ms > t->longest_ms)
		t->longest_ms = *took_ms;
	return kind == DB_OK ? outside_failure(attempt) : kind;
}

static enum db_kind run_contexts(struct attempt *attempt)
{
	const struct transaction *t = attempt->transaction;
	struct cursor cursor;
	struct context *ctx;
	size_t ahead = 0;
	int64_t took_ms;
	cursor_init(&cursor, attempt->batch, t->alone, t->session.level == ATTEMPT_ISOLATING);
	while ((ctx = cursor_next(&cursor, &attempt->transaction->session))) {
		attempt_start_calls(attempt, ctx);
		if (ctx->count == 0)
			continue;
		enum db_kind kind = time_context(attempt, ctx, &ahead, &took_ms);
		if (kind != DB_OK)
			return kind;
		if (is_time_to_commit(attempt, took_ms) && cursor_may_stop(&cursor)) {
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
		if (job->json && job_runs(job))
			json_message_finish(job, attempt->transaction->engine, batch->arena);
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
	connection_limit_syncs(t->connection, (struct statement_limits){ 0 });
	lane_rows_begin(t->connection, &t->table, rows, attempt->batch->lane_count,
		budget_limits(&t->budget));
	t->session.attempt.in_transaction = true;
}

/* Learns which jobs were applied before under their idempotency keys, and takes the other keys. */
static enum db_kind claim_keys(struct attempt *attempt)
{
	if (!idempotency_claim(attempt->transaction, attempt->batch, attempt_is_open(attempt)))
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
	attempt_send(attempt, "COMMIT");
	t->running = false;
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
		if (job->key)
			job->key->state = IDEMPOTENCY_NEW;
	}
}

/* Returns the earliest deadline ahead of the batch's jobs; 0: none. */
static int64_t batch_deadline(const struct batch *batch)
{
	int64_t deadline_ms = 0, now_ms = 0;
	for (size_t i = 0; i < batch->job_count; i++) {
		int64_t own_ms = job_runs(&batch->jobs[i]) ? batch->jobs[i].headers.deadline_ms : 0;
		if (!own_ms || (deadline_ms && own_ms >= deadline_ms))
			continue;
		if (!now_ms)
			now_ms = clock_now_ms();
		if (own_ms > now_ms)
			deadline_ms = own_ms;
	}
	return deadline_ms;
}

/* Runs the batch once. *again: it must run again, without the jobs that are refused now. */
static enum db_kind run_once(struct attempt *attempt, bool *again)
{
	struct batch *batch = attempt->batch;
	start_attempt(attempt);
	*again = false;
	attempt->transaction->running = batch->job_count > 0;
	attempt_limit(attempt, batch_deadline(batch));
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
	if (!attempt_is_open(attempt) && !stored && !batch->outside)
		return DB_OK;
	if (attempt->transaction->budget.by_deadline)
		attempt_limit(attempt, 0);
	if (!attempt_is_open(attempt))
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

/* A detached read is alone from the start: no other attempt has to show that it is the slow one. */
static void refuse_detached(struct attempt *attempt)
{
	char text[128];
	const char *code = budget_describe(&attempt->transaction->budget, text, sizeof(text));
	job_refuse(&attempt->batch->jobs[0], attempt->batch->arena, FAILURE_TIMEOUT, code, "%s",
		text);
}

/* Climbs to the level for the next attempt. False: another attempt cannot help. */
static bool climb(struct attempt *attempt)
{
	struct transaction *t = attempt->transaction;
	const struct db_failure *failure = attempt->failure;
	struct context_session *session = &t->session;
	if (attempt->spent && attempt->batch->detached) {
		refuse_detached(attempt);
	} else if (row_existed(session, failure)) {
		optimistic_insert_failed(&session->optimistic);
		metrics_add(t->engine->metrics, METRIC_OPTIMISTIC_INSERT_RETRIES, 1);
		session->level = ATTEMPT_PLAIN;
	} else if (hint_was_stale(session, failure)) {
		session->level = ATTEMPT_PLAIN;
	} else if (session->level != ATTEMPT_ISOLATING && attempt_is_command_failure(attempt)) {
		session->level = ATTEMPT_ISOLATING;
	} else {
		return false;
	}
	return true;
}

/* Marks the lanes of commands that need more time than a shared batch has, for a statement or for a
 * lock. */
static void mark_slow(struct attempt *attempt)
{
	const struct db_failure *failure = attempt->failure;
	const struct context *ctx = failure->tag;
	bool waited = failure->kind == DB_CONTEND && strcmp(failure->sqlstate, "55P03") == 0;
	if (attempt->transaction->alone || !ctx || (!attempt->spent && !waited))
		return;
	for (size_t i = 0; i < ctx->count; i++)
		attempt->batch->lanes[job_of(ctx->calls[i])->lane_place].slow = true;
}

enum db_kind transaction_run(struct transaction *t, struct batch *batch, struct db_failure *failure,
	bool *written)
{
	struct attempt attempt = { .transaction = t, .batch = batch, .failure = failure };
	struct context_session *session = &t->session;
	enum db_kind kind = tenant_check(t, batch, failure);
	bool again, climbs;
	*written = false;
	if (kind != DB_OK)
		return kind;
	session->level = t->alone && !batch->detached ? ATTEMPT_ISOLATING : ATTEMPT_OPTIMISTIC;
	t->budget = budget_new(t->engine->config->postgres.statement_timeout_ms,
		t->engine->config->postgres.lock_timeout_ms, t->alone);
	t->longest_ms = 0;
	session->retries = t->retries;
	t->logged = false;
	do {
		attempt.spent = false;
		struct arena_mark mark = arena_mark(batch->arena);
		kind = run_once(&attempt, &again);
		*written = attempt_is_open(&attempt);
		if (kind == DB_OK && !again)
			break;
		if (attempt_is_open(&attempt) || kind != DB_OK)
			connection_rollback(t->connection);
		climbs = kind == DB_OK || climb(&attempt);
		/* climb reads the failed context. The error of a read that ran too long stays. */
		if (climbs && kind != DB_OK && !attempt.spent)
			arena_rewind(batch->arena, mark);
	} while (climbs);
	connection_limit_syncs(t->connection, (struct statement_limits){ 0 });
	if (kind != DB_OK)
		mark_slow(&attempt);
	if (kind == DB_OK && session->attempt.inserted_optimistically)
		optimistic_insert_succeeded(&session->optimistic);
	return kind;
}
