/*
 * init_storage.c - creates missing tables, at start and for the command storage.init
 */
#include "worker/process/init_storage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/migrate/migrate.h"
#include "schemas/base/alloc.h"
#include "worker/config/ddl_options.h"
#include "worker/engine/engine.h"

static void log_report(struct log *log, const struct migrate_report *report)
{
	for (size_t i = 0; i < report->warning_count; i++)
		log_warn(log, "warning of storage init", LOG_STR("warning", report->warnings[i]));
	if (report->statements)
		log_info(log, "created or migrated tables",
			LOG_INT("statements", report->statements));
}

bool init_storage(PGconn *pg, const struct config *config, struct log *log, int64_t *statements,
	char *error, size_t error_size)
{
	struct ddl_index *indexes = alloc_zero(config->postgres.index_count, sizeof(*indexes));
	struct ddl_options options = config_ddl_options(config, indexes);
	struct migrate_report report;
	bool done = migrate_init(pg, &options, &report, error, error_size);
	if (done) {
		log_report(log, &report);
		*statements = (int64_t)report.statements;
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

enum db_kind init_storage_command(const void *arg, int64_t *statements, struct db_failure *failure)
{
	const struct engine *engine = arg;
	PGconn *pg = PQconnectdbParams(engine->connection.keywords, engine->connection.values, 1);
	if (PQstatus(pg) != CONNECTION_OK)
		return init_storage_outage(pg, failure);
	*failure = (struct db_failure){ .kind = DB_OK };
	bool done = init_storage(pg, engine->config, engine->log, statements, failure->message,
		sizeof(failure->message));
	if (!done && PQstatus(pg) != CONNECTION_OK)
		return init_storage_outage(pg, failure);
	if (!done)
		failure->kind = DB_COMMAND;
	PQfinish(pg);
	return failure->kind;
}

static bool init_storage_check_tables(PGconn *pg, const struct config *config, char *error,
	size_t error_size)
{
	struct ddl_index *indexes = alloc_zero(config->postgres.index_count, sizeof(*indexes));
	struct ddl_options options = config_ddl_options(config, indexes);
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
	PGconn *pg = PQconnectdbParams(connection->keywords, connection->values, 1);
	int64_t statements;
	bool done = config->postgres.disable_init
		? init_storage_check_tables(pg, config, error, error_size)
		: init_storage(pg, config, log, &statements, error, error_size);
	enum db_kind kind = done ? DB_OK : PQstatus(pg) == CONNECTION_OK ? DB_SETUP : DB_OUTAGE;
	PQfinish(pg);
	return kind;
}
