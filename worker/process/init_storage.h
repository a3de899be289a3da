/*
 * init_storage.h - creates missing tables, at start and for the command storage.init
 *
 * Blocking. Any thread, each with its own connection.
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

/* Runs the command storage.init with its own connection: see `init_storage` of context_engine.h.
 * `engine` is a struct engine. With postgres.disableInit it only checks for tables. */
enum db_kind init_storage_command(const void *engine, const char *schema, int64_t *statements,
	struct db_failure *failure);

/* `stowage run` calls this at start. It creates missing tables or, with postgres.disableInit, only
 * checks for them. DB_SETUP: the worker can't run with these tables, DB_OUTAGE: the database is
 * unavailable, DB_COMMAND: init failed and may succeed later; all write the reason to `error`. */
enum db_kind init_storage_start(const struct config *config,
	const struct connection_options *connection, struct log *log, char *error,
	size_t error_size) __attribute__((warn_unused_result));

#endif
