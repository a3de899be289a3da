/* ddl_run.c - transactions, index builds and conflicts with other sessions */
#include "db/migrate/ddl_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/migrate/ddl_catalog.h"
#include "db/migrate/ddl_wait.h"
#include "schemas/base/text.h"

/* A statement that waits for a table's lock blocks all sessions that come after it. It waits only briefly,
 * and those sessions have the table to themselves until the next try. */
#define LOCK_TIMEOUT_MS 500
/* An index build only tries its lock. */
#define LOCK_TRIES 100
#define LOCK_PAUSE_MS 50

struct runner {
	PGconn *conn;
	struct ddl_lock *lock;
	const char *schema;
	struct ddl_tally *tally;
	char *err;
	size_t errlen;
};

/* Does the error mean that another session changed the same objects: another init, or the application's
 * own? IF NOT EXISTS does not prevent that error when two sessions run at the same moment. */
static bool ddl_run_is_conflict(const PGresult *result)
{
	static const char *const states[] = {
		"40001", /* serialization failure */
		"40P01", /* deadlock */
		"55P03", /* lock timeout */
		"42P06", /* the schema exists already */
		"42P07", /* ... the table or index */
		"42701", /* ... the column */
		"42710", /* ... the constraint or trigger */
		"42723", /* ... the function */
		"42P16", /* ... a primary key */
		"42P01", /* the table was dropped meanwhile */
	};
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *space = PQresultErrorField(result, PG_DIAG_SCHEMA_NAME);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	if (!state)
		return false;
	for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
		if (!strcmp(state, states[i]))
			return true;
	}
	if (!strcmp(state, "23505"))
		return space && !strcmp(space, "pg_catalog");
	return !strcmp(state, "XX000") && message && strstr(message, "concurrently");
}

/* Writes the error as one line, without the long statement. */
static void ddl_run_say_error(struct runner *runner, const PGresult *result, const char *lack)
{
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);

	if (message)
		snprintf(runner->err, runner->errlen, "%s: %s%s%s", lack, message,
			detail ? ": " : "", detail ? detail : "");
	else
		ddl_say(runner->conn, lack, runner->err, runner->errlen);
}

static enum ddl_outcome ddl_run_statement(struct runner *runner, const char *sql, const char *lack)
{
	PGresult *result = ddl_wait_for(runner->conn, runner->lock, sql);
	ExecStatusType status = PQresultStatus(result);
	enum ddl_outcome outcome = DDL_DONE;

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
		outcome = ddl_run_is_conflict(result) ? DDL_CONFLICT : DDL_FAILED;
		ddl_run_say_error(runner, result, lack);
	}
	PQclear(result);
	if (!ddl_lock_beat(runner->lock)) {
		snprintf(runner->err, runner->errlen,
			"init has lost its lock, because this process or the network stood still for "
			"%d s: run it again",
			DDL_IDLE_TIMEOUT_MS / 1000);
		return DDL_UNLOCKED;
	}
	return outcome;
}

static enum ddl_outcome ddl_run_step(struct runner *runner, const struct ddl_step *step)
{
	enum ddl_outcome outcome = DDL_DONE;

	for (size_t i = 0; outcome == DDL_DONE && i < step->sql_count; i++) {
		outcome = ddl_run_statement(runner, step->sql[i], step->lack);
		if (outcome == DDL_DONE)
			runner->tally->statements++;
	}
	return outcome;
}

/* Runs `count` steps in one transaction. */
static enum ddl_outcome ddl_run_transaction(struct runner *runner, const struct ddl_step *steps,
	size_t count)
{
	size_t before = runner->tally->statements;
	char begin[160];

	snprintf(begin, sizeof(begin),
		"BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = %d; "
		"SET LOCAL idle_in_transaction_session_timeout = %d",
		LOCK_TIMEOUT_MS, DDL_IDLE_TIMEOUT_MS);
	enum ddl_outcome outcome = ddl_run_statement(runner, begin, "cannot begin a transaction");

	for (size_t i = 0; outcome == DDL_DONE && i < count; i++)
		outcome = ddl_run_step(runner, &steps[i]);
	if (outcome == DDL_DONE)
		outcome = ddl_run_statement(runner, "COMMIT", "cannot commit");
	if (outcome != DDL_DONE) {
		runner->tally->statements = before;
		PQclear(ddl_wait_for(runner->conn, runner->lock, "ROLLBACK"));
	}
	return outcome;
}

static void ddl_run_tally_failure(struct ddl_tally *tally, const char *index, const char *reason)
{
	size_t count = tally->failed_count++;

	tally->failed = realloc(tally->failed, (count + 1) * sizeof *tally->failed);
	tally->reasons = realloc(tally->reasons, (count + 1) * sizeof *tally->reasons);
	if (!tally->failed || !tally->reasons)
		abort();
	tally->failed[count] = strdup(index);
	tally->reasons[count] = strdup(reason);
	if (!tally->failed[count] || !tally->reasons[count])
		abort();
}

/* A failed build leaves an invalid index, which slows down every write and serves no read. */
static void ddl_run_drop_leftover(struct runner *runner, const struct ddl_step *step)
{
	struct buffer drop = { 0 };

	if (step->kind != DDL_INDEX)
		return;
	text_add(&drop, "DROP INDEX CONCURRENTLY IF EXISTS ");
	text_add_ident(&drop, runner->schema);
	text_add(&drop, ".");
	text_add_ident(&drop, step->object);
	PQclear(ddl_wait_for(runner->conn, runner->lock, text_string(&drop)));
	buffer_free(&drop);
}

/* Tries the table's lock repeatedly instead of waiting for it. A session that waits has a snapshot, and the
 * lock's owner may be a concurrent index build that waits for that snapshot. */
static enum ddl_outcome ddl_run_brief(struct runner *runner, const struct ddl_step *step)
{
	enum ddl_outcome outcome = ddl_run_transaction(runner, step, 1);

	for (int i = 1; outcome == DDL_CONFLICT && i < LOCK_TRIES; i++) {
		ddl_wait_ms(runner->lock, LOCK_PAUSE_MS);
		outcome = ddl_run_transaction(runner, step, 1);
	}
	return outcome;
}

static enum ddl_outcome ddl_run_index(struct runner *runner, const struct ddl_step *step)
{
	enum ddl_outcome outcome = step->mode == DDL_BRIEF ? ddl_run_brief(runner, step)
							   : ddl_run_step(runner, step);

	if (outcome != DDL_FAILED || PQstatus(runner->conn) != CONNECTION_OK)
		return outcome;
	ddl_run_tally_failure(runner->tally, step->object, runner->err);
	if (step->mode == DDL_CONCURRENT)
		ddl_run_drop_leftover(runner, step);
	return DDL_DONE;
}

enum ddl_outcome ddl_run(PGconn *conn, struct ddl_lock *lock, const struct ddl_plan *plan,
	struct ddl_tally *tally, char *err, size_t errlen)
{
	struct runner runner = { conn, lock, plan->schema, tally, err, errlen };
	enum ddl_outcome outcome = DDL_DONE;
	size_t together = 0;

	while (together < plan->step_count && plan->steps[together].mode == DDL_TOGETHER)
		together++;
	if (together > 0)
		outcome = ddl_run_transaction(&runner, plan->steps, together);
	for (size_t i = together; outcome == DDL_DONE && i < plan->step_count; i++) {
		const struct ddl_step *step = &plan->steps[i];
		outcome = step->mode == DDL_ALONE ? ddl_run_transaction(&runner, step, 1)
						  : ddl_run_index(&runner, step);
	}
	return outcome;
}

bool ddl_tally_failed(const struct ddl_tally *tally, const char *index)
{
	for (size_t i = 0; i < tally->failed_count; i++) {
		if (!strcmp(tally->failed[i], index))
			return true;
	}
	return false;
}

void ddl_tally_free(struct ddl_tally *tally)
{
	for (size_t i = 0; i < tally->failed_count; i++) {
		free(tally->failed[i]);
		free(tally->reasons[i]);
	}
	free(tally->failed);
	free(tally->reasons);
	*tally = (struct ddl_tally){ 0 };
}
