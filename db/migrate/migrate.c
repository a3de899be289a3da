/* migrate.c - rounds of plan and run until the schema is complete; the plan as SQL and as a report */
#include "db/migrate/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/migrate/ddl_catalog.h"
#include "db/migrate/ddl_compare.h"
#include "db/migrate/ddl_lock.h"
#include "db/migrate/ddl_plan.h"
#include "db/migrate/ddl_run.h"
#include "db/migrate/ddl_wait.h"
#include "schemas/base/text.h"

#define POLL_MS 200
#define LOCK_POLLS (60 * 1000 / POLL_MS)
#define ROUNDS_MAX 60
/* Between two tries to get a table's lock. */
#define CONFLICT_PAUSE_MS 1000

/* One migrate_init. */
struct migration {
	PGconn *conn;
	struct ddl_script *script;
	struct ddl_lock *lock;
	bool locked;
	int polls;  /* attempts to get the lock */
	int rounds; /* plans that ran */
	struct ddl_tally tally;
	char *err;
	size_t errlen;
};

static void migrate_ignore_notice(void *arg, const PGresult *result)
{
	(void)arg;
	(void)result;
}

static bool migrate_usable(PGconn *conn, const struct ddl_options *options, char *err,
	size_t errlen)
{
	if (!ddl_schema_valid(options->schema)) {
		snprintf(err, errlen,
			"\"%s\" is not a valid schema name: use 1 to 63 bytes of UTF-8",
			options->schema);
		return false;
	}
	if (PQtransactionStatus(conn) != PQTRANS_IDLE) {
		ddl_say(conn, "cannot use the connection", err, errlen);
		return false;
	}
	return true;
}

static char *migrate_copy(const char *string)
{
	char *made = strdup(string);

	if (!made)
		abort();
	return made;
}

/* Drops the step of an index whose name something else has: it would do nothing, or drop an index that
 * somebody else made. */
static void migrate_drop_steps(struct ddl_plan *plan, const char *object)
{
	for (size_t i = plan->step_count; i-- > 0;) {
		if (plan->steps[i].kind == DDL_INDEX && strcmp(plan->steps[i].object, object) == 0)
			ddl_plan_drop(plan, i);
	}
}

/* An index of the configuration whose name exists must be the same one. */
static void migrate_compare_indexes(PGconn *conn, struct ddl_lock *lock,
	const struct ddl_script *script, struct ddl_plan *plan)
{
	for (size_t i = 0; i < ddl_script_count(script); i++) {
		const struct ddl_object *object = ddl_script_object(script, i);
		char *text = NULL;
		if (!object->custom)
			continue;
		if (lock)
			(void)ddl_lock_beat(lock); /* ddl_run() reports a loss */
		enum ddl_likeness likeness = ddl_compare_index(conn, plan->schema, object, &text);
		if (likeness == DDL_SAME)
			continue;
		migrate_drop_steps(plan, object->name.text);
		ddl_plan_flaw(plan, likeness == DDL_DIFFERS, text);
	}
}

/* `lock` is NULL unless it is held. */
static struct ddl_plan *migrate_look(PGconn *conn, struct ddl_lock *lock,
	const struct ddl_script *script, char *err, size_t errlen)
{
	struct ddl_catalog *catalog = ddl_catalog_load(conn, lock, ddl_script_schema(script), err,
		errlen);

	if (!catalog)
		return NULL;
	struct ddl_plan *plan = ddl_plan_new(script, catalog);
	ddl_catalog_free(catalog);
	migrate_compare_indexes(conn, lock, script, plan);
	return plan;
}

/* Do rows need a repair? A probe that fails means no: the table differs, and the plan reports that as a
 * flaw. */
static bool migrate_probe(PGconn *conn, const char *sql)
{
	PGresult *result = PQexec(conn, sql);
	bool needed = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 &&
		!strcmp(PQgetvalue(result, 0, 0), "t");

	PQclear(result);
	return needed;
}

/* Removes the repairs that are not needed. While tables need changes, removes all repairs: the next round
 * looks at them. */
static void migrate_settle_repairs(PGconn *conn, struct ddl_plan *plan)
{
	bool unready = false;

	for (size_t i = 0; i < plan->step_count; i++)
		unready |= !plan->steps[i].probe && plan->steps[i].mode < DDL_BRIEF;
	for (size_t i = plan->step_count; i-- > 0;) {
		if (plan->steps[i].probe && (unready || !migrate_probe(conn, plan->steps[i].probe)))
			ddl_plan_drop(plan, i);
	}
}

static bool migrate_only_indexes(const struct ddl_plan *plan)
{
	return plan->step_count == 0 || plan->steps[0].mode >= DDL_BRIEF;
}

enum round {
	ROUND_FAILED,
	ROUND_AGAIN,
	ROUND_DONE,
};

/* Tries to get the lock. Once it is held, the plan is stale and the next round makes a new one. */
static enum round migrate_lock(struct migration *migration, const struct ddl_plan *plan)
{
	if (!migration->lock)
		migration->lock = ddl_lock_new(migration->conn, migration->err, migration->errlen);
	if (!migration->lock)
		return ROUND_FAILED;
	enum ddl_lock_state state = ddl_lock_try(migration->lock, plan->schema, migration->err,
		migration->errlen);
	if (state == DDL_LOCK_FAILED)
		return ROUND_FAILED;
	migration->locked = state == DDL_LOCK_HELD;
	if (migration->locked)
		return ROUND_AGAIN;
	if (migrate_only_indexes(plan))
		return ROUND_DONE; /* another init is building them */
	if (++migration->polls > LOCK_POLLS) {
		snprintf(migration->err, migration->errlen,
			"another init of schema \"%s\" has held the lock for a minute: wait for it and retry",
			plan->schema);
		return ROUND_FAILED;
	}
	ddl_wait_ms(NULL, POLL_MS);
	return ROUND_AGAIN;
}

static enum round migrate_run(struct migration *migration, const struct ddl_plan *plan)
{
	enum ddl_outcome outcome = ddl_run(migration->conn, migration->lock, plan,
		&migration->tally, migration->err, migration->errlen);

	if (outcome == DDL_FAILED || outcome == DDL_UNLOCKED)
		return ROUND_FAILED;
	if (++migration->rounds < ROUNDS_MAX) {
		if (outcome == DDL_CONFLICT)
			ddl_wait_ms(migration->lock, CONFLICT_PAUSE_MS);
		return ROUND_AGAIN;
	}
	if (outcome == DDL_DONE)
		snprintf(migration->err, migration->errlen,
			"init still finds differences after its last round: %s",
			plan->steps[0].lack);
	return ROUND_FAILED;
}

static enum round migrate_round(struct migration *migration, struct ddl_plan *plan)
{
	migrate_settle_repairs(migration->conn, plan);
	for (size_t i = plan->step_count; i-- > 0;) {
		if (ddl_tally_failed(&migration->tally, plan->steps[i].object))
			ddl_plan_drop(plan, i);
	}
	if (plan->too_new) {
		snprintf(migration->err, migration->errlen, "%s", plan->too_new);
		return ROUND_FAILED;
	}
	if (plan->step_count == 0)
		return ROUND_DONE;
	return migration->locked ? migrate_run(migration, plan) : migrate_lock(migration, plan);
}

static void migrate_add_text(char ***texts, size_t *count, const char *text)
{
	*texts = realloc(*texts, (*count + 1) * sizeof **texts);
	if (!*texts)
		abort();
	(*texts)[(*count)++] = migrate_copy(text);
}

static void migrate_warn(struct migrate_report *report, const char *text)
{
	migrate_add_text(&report->warnings, &report->warning_count, text);
}

static void migrate_fail(struct migrate_report *report, const char *text)
{
	migrate_add_text(&report->failures, &report->failure_count, text);
}

static void migrate_fill_report(struct migrate_report *report, const struct migration *migration,
	const struct ddl_plan *plan)
{
	report->statements = migration->tally.statements;
	for (size_t i = 0; i < migration->tally.failed_count; i++)
		migrate_fail(report, migration->tally.reasons[i]);
	for (size_t i = 0; i < plan->flaw_count; i++)
		(plan->flaws[i].fails ? migrate_fail : migrate_warn)(report, plan->flaws[i].text);
	for (size_t i = 0; i < plan->step_count; i++) {
		struct buffer text = { 0 };
		text_addf(&text, "%s: another init is building it", plan->steps[i].lack);
		migrate_warn(report, text_string(&text));
		buffer_free(&text);
	}
}

static bool migrate_tables(struct migration *migration, struct migrate_report *report)
{
	enum round round = ROUND_AGAIN;

	while (round == ROUND_AGAIN) {
		struct ddl_plan *plan = migrate_look(migration->conn,
			migration->locked ? migration->lock : NULL, migration->script,
			migration->err, migration->errlen);
		if (!plan)
			return false;
		round = migrate_round(migration, plan);
		if (round == ROUND_DONE)
			migrate_fill_report(report, migration, plan);
		ddl_plan_free(plan);
	}
	return round == ROUND_DONE;
}

bool migrate_init(PGconn *conn, const struct ddl_options *options, struct migrate_report *report,
	char *err, size_t errlen)
{
	*report = (struct migrate_report){ 0 };
	if (!migrate_usable(conn, options, err, errlen))
		return false;
	struct migration migration = {
		.conn = conn, .script = ddl_script_new(options), .err = err, .errlen = errlen
	};
	/* Notices such as "already exists, skipping" are of no interest. */
	PQnoticeReceiver receiver = PQsetNoticeReceiver(conn, migrate_ignore_notice, NULL);
	bool done = migrate_tables(&migration, report);
	PQsetNoticeReceiver(conn, receiver, NULL);
	ddl_lock_free(migration.lock);
	ddl_tally_free(&migration.tally);
	ddl_script_free(migration.script);
	return done;
}

void migrate_report_free(struct migrate_report *report)
{
	for (size_t i = 0; i < report->warning_count; i++)
		free(report->warnings[i]);
	for (size_t i = 0; i < report->failure_count; i++)
		free(report->failures[i]);
	free(report->warnings);
	free(report->failures);
	*report = (struct migrate_report){ 0 };
}

static void migrate_add_statement(struct migrate_sql *sql, const char *statement)
{
	sql->statements = realloc(sql->statements, (sql->count + 1) * sizeof *sql->statements);
	if (!sql->statements)
		abort();
	sql->statements[sql->count++] = migrate_copy(statement);
}

static void migrate_list_steps(struct migrate_sql *sql, const struct ddl_plan *plan)
{
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct ddl_step *step = &plan->steps[i];
		bool alone = step->mode == DDL_ALONE || step->mode == DDL_BRIEF;
		bool opens = alone || (step->mode == DDL_TOGETHER && i == 0);
		bool closes = alone ||
			(step->mode == DDL_TOGETHER &&
				(i + 1 == plan->step_count || step[1].mode != DDL_TOGETHER));
		if (opens)
			migrate_add_statement(sql, "BEGIN");
		for (size_t j = 0; j < step->sql_count; j++)
			migrate_add_statement(sql, step->sql[j]);
		if (closes)
			migrate_add_statement(sql, "COMMIT");
	}
}

bool migrate_plan(PGconn *conn, const struct ddl_options *options, struct migrate_sql *sql,
	char *err, size_t errlen)
{
	*sql = (struct migrate_sql){ 0 };
	if (!migrate_usable(conn, options, err, errlen))
		return false;
	struct ddl_script *script = ddl_script_new(options);
	struct ddl_plan *plan = migrate_look(conn, NULL, script, err, errlen);
	bool looked = plan && !plan->too_new;
	if (looked) {
		migrate_settle_repairs(conn, plan);
		migrate_list_steps(sql, plan);
	} else if (plan) {
		snprintf(err, errlen, "%s", plan->too_new);
	}
	ddl_plan_free(plan);
	ddl_script_free(script);
	return looked;
}

void migrate_sql_free(struct migrate_sql *sql)
{
	for (size_t i = 0; i < sql->count; i++)
		free(sql->statements[i]);
	free(sql->statements);
	*sql = (struct migrate_sql){ 0 };
}

static void migrate_add_problem(struct migrate_problems *problems, struct migrate_problem problem)
{
	problems->items = realloc(problems->items, (problems->count + 1) * sizeof *problems->items);
	if (!problems->items)
		abort();
	problems->items[problems->count++] = problem;
	problems->severe_count += problem.severe;
}

static void migrate_add_lack(struct migrate_problems *problems, bool severe, const char *lack)
{
	struct buffer text = { 0 };

	text_addf(&text, "%s: run `stowage init`", lack);
	migrate_add_problem(problems,
		(struct migrate_problem){ .severe = severe, .text = text_take(&text) });
}

static void migrate_list_problems(struct migrate_problems *problems, const struct ddl_plan *plan)
{
	if (plan->no_schema) {
		migrate_add_lack(problems, true, plan->steps[0].lack);
		return;
	}
	if (plan->no_tables) {
		struct buffer text = { 0 };
		text_addf(&text, "schema \"%s\" has no tables of Stowage", plan->schema);
		migrate_add_lack(problems, true, text_string(&text));
		buffer_free(&text);
		return;
	}
	for (size_t i = 0; i < plan->step_count; i++) {
		if (!plan->steps[i].probe)
			migrate_add_lack(problems, plan->steps[i].severe, plan->steps[i].lack);
	}
	for (size_t i = 0; i < plan->flaw_count; i++)
		migrate_add_problem(problems,
			(struct migrate_problem){ plan->flaws[i].severe, plan->flaws[i].fails,
				migrate_copy(plan->flaws[i].text) });
}

bool migrate_check(PGconn *conn, const struct ddl_options *options,
	struct migrate_problems *problems, char *err, size_t errlen)
{
	*problems = (struct migrate_problems){ 0 };
	if (!migrate_usable(conn, options, err, errlen))
		return false;
	struct ddl_script *script = ddl_script_new(options);
	struct ddl_plan *plan = migrate_look(conn, NULL, script, err, errlen);
	if (plan)
		migrate_list_problems(problems, plan);
	bool looked = plan != NULL;
	ddl_plan_free(plan);
	ddl_script_free(script);
	return looked;
}

void migrate_problems_free(struct migrate_problems *problems)
{
	for (size_t i = 0; i < problems->count; i++)
		free(problems->items[i].text);
	free(problems->items);
	*problems = (struct migrate_problems){ 0 };
}
