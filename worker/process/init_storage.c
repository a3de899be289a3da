/*
 * init_storage.c - creates missing tables, at start and for the command storage.init
 */
#include "worker/process/init_storage.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/migrate/migrate.h"
#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"
#include "worker/config/conninfo.h"
#include "worker/config/ddl_options.h"
#include "worker/engine/engine.h"
#include "worker/lanes/work.h"

/* For how long, and how often, a refused connection is tried again. */
#define WANT_MS 1000
#define WANT_AGAIN_MS 50

struct init_storage_result {
	int64_t statements;
	bool complete; /* false: indexes are missing, and `error` says why */
};

static void log_report(struct log *log, const struct migrate_report *report)
{
	for (size_t i = 0; i < report->warning_count; i++)
		log_warn(log, "warning of storage init", LOG_STR("warning", report->warnings[i]));
	for (size_t i = 0; i < report->failure_count; i++)
		log_error(log, "an index can't be created", LOG_STR("error", report->failures[i]));
	if (report->statements)
		log_info(log, "created or migrated tables",
			LOG_INT("statements", report->statements));
}

/* What init left undone, for the reply. */
static void init_storage_sum_up(const struct migrate_report *report, char *error, size_t error_size)
{
	snprintf(error, error_size, "%s", report->failures[0]);
	size_t used = strlen(error);
	if (report->failure_count > 1)
		snprintf(error + used, error_size - used,
			" (and %zu more; the worker's log has them)", report->failure_count - 1);
}

/* Creates missing tables and indexes, and logs warnings, failed indexes and the number of statements.
 * On any other failure returns false and writes the reason to `error`. */
static bool init_storage_run(PGconn *pg, const struct config *config, const char *schema,
	struct log *log, struct init_storage_result *result, char *error, size_t error_size)
{
	struct ddl_index *indexes = alloc_zero(config->postgres.index_count, sizeof(*indexes));
	struct ddl_options options = config_ddl_options(config, schema, indexes);
	struct migrate_report report;
	bool done = migrate_init(pg, &options, &report, error, error_size);
	if (done) {
		log_report(log, &report);
		*result = (struct init_storage_result){
			.statements = (int64_t)report.statements,
			.complete = report.failure_count == 0,
		};
		if (!result->complete)
			init_storage_sum_up(&report, error, error_size);
		migrate_report_free(&report);
	}
	free(indexes);
	return done;
}

static enum db_kind init_storage_outage(PGconn *pg, struct db_failure *failure)
{
	*failure = (struct db_failure){ .kind = DB_OUTAGE };
	snprintf(failure->message, sizeof(failure->message), "%s", PQerrorMessage(pg));
	PQfinish(pg);
	return DB_OUTAGE;
}

static bool init_storage_check_tables(PGconn *pg, const struct config *config, const char *schema,
	char *error, size_t error_size)
{
	struct ddl_index *indexes = alloc_zero(config->postgres.index_count, sizeof(*indexes));
	struct ddl_options options = config_ddl_options(config, schema, indexes);
	struct migrate_problems problems;
	bool sound = migrate_check(pg, &options, &problems, error, error_size);
	free(indexes);
	if (!sound)
		return false;
	for (size_t i = 0; i < problems.count && problems.severe_count; i++) {
		if (!problems.items[i].severe)
			continue;
		snprintf(error, error_size, "%s", problems.items[i].text);
		sound = false;
		break;
	}
	migrate_problems_free(&problems);
	return sound;
}

/* Creates what is missing or, with postgres.disableInit, only looks whether something is. */
static enum db_kind init_storage_obey(PGconn *pg, const struct engine *engine, const char *schema,
	int64_t *statements, struct db_failure *failure)
{
	struct init_storage_result result = { 0 };
	size_t size = sizeof(failure->message);
	char missing[sizeof(failure->message) / 2];
	*statements = 0;
	if (engine->config->postgres.disable_init) {
		if (init_storage_check_tables(pg, engine->config, schema, missing, sizeof(missing)))
			return DB_OK;
		snprintf(failure->message, size,
			"postgres.disableInit is set, so this worker creates no tables: %s",
			missing);
		return DB_SETUP;
	}
	bool done = init_storage_run(pg, engine->config, schema, engine->log, &result,
		failure->message, size);
	*statements = result.statements;
	return done && result.complete ? DB_OK : DB_COMMAND;
}

/* If the server refuses the connection, executors give their sessions up for it. */
static PGconn *init_storage_connect(const struct engine *engine)
{
	PGconn *pg = config_connect(engine->config);
	int64_t until = clock_tick_ms() + WANT_MS;
	if (PQstatus(pg) == CONNECTION_OK)
		return pg;
	pool_want(engine->pool);
	lanes_rouse(engine->lanes);
	while (PQstatus(pg) != CONNECTION_OK && clock_tick_ms() < until) {
		poll(NULL, 0, WANT_AGAIN_MS);
		PQfinish(pg);
		pg = config_connect(engine->config);
	}
	pool_unwant(engine->pool);
	return pg;
}

enum db_kind init_storage_command(const void *arg, const char *schema, int64_t *statements,
	struct db_failure *failure)
{
	const struct engine *engine = arg;
	PGconn *pg = init_storage_connect(engine);
	if (PQstatus(pg) != CONNECTION_OK)
		return init_storage_outage(pg, failure);
	*failure = (struct db_failure){ .kind = DB_OK };
	failure->kind = init_storage_obey(pg, engine, schema, statements, failure);
	if (failure->kind != DB_OK && PQstatus(pg) != CONNECTION_OK)
		return init_storage_outage(pg, failure);
	PQfinish(pg);
	return failure->kind;
}

enum db_kind init_storage_start(const struct config *config,
	const struct connection_options *connection, struct log *log, char *error,
	size_t error_size)
{
	struct db_failure failure;
	struct connection *probe = connection_new(connection);
	bool open = connection_open(probe, &failure);
	connection_free(probe);
	if (!open) {
		snprintf(error, error_size, "%s", failure.message);
		return failure.kind;
	}
	PGconn *pg = config_connect(config);
	struct init_storage_result result;
	bool done = config->postgres.disable_init
		? init_storage_check_tables(pg, config, NULL, error, error_size)
		: init_storage_run(pg, config, NULL, log, &result, error, error_size);
	enum db_kind kind = done ? DB_OK : DB_COMMAND;
	if (!done && PQstatus(pg) != CONNECTION_OK)
		kind = DB_OUTAGE;
	else if (!done && config->postgres.disable_init)
		kind = DB_SETUP; /* an operator creates the tables */
	PQfinish(pg);
	return kind;
}
