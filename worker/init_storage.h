/*
 * init_storage.h - the configured schema's tables: made at the start of `run`, and for storage.init
 */
#ifndef WORKER_INIT_STORAGE_H
#define WORKER_INIT_STORAGE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/connection.h"
#include "worker/config.h"
#include "worker/log.h"

/* Makes what is missing; warnings and what was done go to the log. */
bool init_storage(PGconn *pg, const struct config *config, struct log *log, int64_t *statements,
	char *error, size_t error_size) __attribute__((warn_unused_result));

/* At the start of `run`: makes what is missing, or, with postgres.disableInit, looks whether
 * all is there. DB_SETUP: this can't be run on, `error` says why. DB_OUTAGE: the database is
 * away for now. */
enum db_kind init_storage_start(const struct config *config,
	const struct connection_options *connection, struct log *log, char *error, size_t error_size)
	__attribute__((warn_unused_result));

#endif
