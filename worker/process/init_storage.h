/*
 * init_storage.h - the configured schema's tables: made at the start of `run`, and for storage.init
 */
#ifndef WORKER_PROCESS_INIT_STORAGE_H
#define WORKER_PROCESS_INIT_STORAGE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/connection/connection.h"
#include "worker/config/config.h"
#include "worker/telemetry/log.h"

/* Makes what is missing; warnings and what was done go to the log. */
bool init_storage(PGconn *pg, const struct config *config, struct log *log, int64_t *statements,
	char *error, size_t error_size) __attribute__((warn_unused_result));

/* Runs the command storage.init: context_engine.h, `init_storage`. */
enum db_kind init_storage_command(const void *engine, int64_t *statements,
	struct db_failure *failure);

/* At the start of `run`: makes what is missing, or, with postgres.disableInit, looks whether
 * all is there. DB_SETUP: this can't be run on, `error` says why. DB_OUTAGE: the database is
 * away for now. */
enum db_kind init_storage_start(const struct config *config,
	const struct connection_options *connection, struct log *log, char *error,
	size_t error_size) __attribute__((warn_unused_result));

#endif
