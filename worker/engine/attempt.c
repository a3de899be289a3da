/* attempt.c - one attempt at a batch: its statements, their limits, and the errors of its commands */
#include "worker/engine/attempt.h"

#include <stdio.h>
#include <string.h>

#include "schemas/base/clock.h"
#include "worker/engine/command_error.h"
#include "worker/engine/job.h"
#include "worker/engine/tenant_check.h"

/* A server that is short of memory recovers. After this many failures in a row the statement itself
 * needs too much. */
#define MEMORY_PASSING 6

bool attempt_is_open(const struct attempt *attempt)
{
	return attempt->transaction->session.attempt.in_transaction;
}

static void attempt_log_long(void *arg, void *tag)
{
	struct attempt *attempt = arg;
	const struct context *ctx = tag;
	attempt->transaction->logged = true;
	if (!ctx)
		return;
	const struct job *job = job_of(ctx->calls[0]);
	log_warn(attempt->transaction->engine->log, "command runs long",
		LOG_STR("topic", job->lane->topic), LOG_INT("partition", job->lane->partition),
		LOG_INT("offset", job->message->offset),
		LOG_STR("command", ctx->calls[0]->command->name),
		LOG_INT("commands", (int64_t)ctx->count), LOG_INT("after_ms", LONG_MS),
		LOG_INT("limit_ms", attempt->transaction->budget.limit_ms));
}

enum db_kind attempt_drain(struct attempt *attempt)
{
	struct transaction *t = attempt->transaction;
	connection_watch(t->connection, t->logged ? 0 : clock_tick_ms() + LONG_MS, attempt_log_long,
		attempt);
	/* Without a transaction, each drain ends what was sent with a sync. */
	enum db_kind kind = attempt_is_open(attempt)
		? connection_drain(t->connection, attempt->failure)
		: connection_sync(t->connection, attempt->failure);
	connection_watch(t->connection, 0, NULL, NULL);
	kind = context_take_over(&t->session, kind, attempt->failure);
	if (kind == DB_OK)
		budget_begin(&t->budget);
	else
		attempt->spent = attempt->failure->tag &&
			budget_is_spent(&t->budget, attempt->failure);
	return kind;
}

/* The statements from now on belong to commands of which the earliest deadline is this one; 0: none. */
void attempt_limit(struct attempt *attempt, int64_t deadline_ms)
{
	struct transaction *t = attempt->transaction;
	int64_t before = t->budget.limit_ms;
	budget_set(&t->budget, deadline_ms);
	if (!attempt_is_open(attempt))
		connection_limit_syncs(t->connection, budget_limits(&t->budget));
	else if (t->budget.limit_ms != before)
		connection_limit(t->connection, budget_limits(&t->budget));
}

void attempt_send(struct attempt *attempt, const char *sql)
{
	connection_send(attempt->transaction->connection, sql, NULL, NULL, NULL, NULL, NULL);
}

/* Did a command (or a table named by a client) cause this failure, rather than a broken
 * installation? */
bool attempt_is_command_failure(const struct attempt *attempt)
{
	static const char *const of_table[] = { "23", "42", "55", "XX" };
	const struct transaction *t = attempt->transaction;
	const struct db_failure *failure = attempt->failure;
	const struct context *ctx = failure->tag;
	if (attempt->spent)
		return budget_is_whole(&t->budget);
	if (strcmp(failure->sqlstate, "53200") == 0)
		return ctx && t->retries >= MEMORY_PASSING;
	if (failure->kind != DB_SETUP || tenant_is_broken(ctx, failure))
		return failure->kind == DB_COMMAND || failure->kind == DB_SETUP;
	bool table = false;
	for (size_t i = 0; i < sizeof(of_table) / sizeof(of_table[0]); i++)
		table |= strncmp(failure->sqlstate, of_table[i], 2) == 0;
	return table && ctx && (ctx->calls[0]->command->flags & COMMAND_NAMED);
}

/* --- contexts --- */

/* Fails calls past their deadline and leaves them out; the others get their time. */
void attempt_start_calls(const struct attempt *attempt, struct context *ctx)
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

static void attempt_time_out(struct attempt *attempt, struct context *ctx)
{
	char text[128];
	const char *code = budget_describe(&attempt->transaction->budget, text, sizeof(text));
	for (size_t i = 0; i < ctx->count; i++)
		call_fail(ctx, ctx->calls[i], FAILURE_TIMEOUT, code, NULL, "%s", text);
}

/* The context's command failed in the database, alone: that is its own error. */
void attempt_fail_context(struct attempt *attempt, struct context *ctx)
{
	const struct db_failure *failure = attempt->failure;
	if (attempt->spent) {
		attempt_time_out(attempt, ctx);
		return;
	}
	command_error_fail(attempt->transaction->engine, ctx, failure);
}

/* Returns the earliest deadline of the context's calls; 0: none. */
int64_t attempt_deadline(const struct context *ctx)
{
	int64_t deadline_ms = 0;
	for (size_t i = 0; i < ctx->count; i++)
		if (ctx->calls[i]->deadline_ms &&
			(!deadline_ms || ctx->calls[i]->deadline_ms < deadline_ms))
			deadline_ms = ctx->calls[i]->deadline_ms;
	return deadline_ms;
}
