/*
 * database.h - the command line's own connection to PostgreSQL
 *
 * One thread; blocking.
 */
#ifndef WORKER_CLIENT_DATABASE_H
#define WORKER_CLIENT_DATABASE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "worker/config/config.h"

#define DATABASE_ERROR_MAX 1024

/* Why a connection could not be made, and the way out of it. */
struct database_failure {
	char why[DATABASE_ERROR_MAX]; /* one line */
	const char *hint;             /* static; NULL */
};

/* NULL on failure. Notices of the server are not printed. Close it by PQfinish. */
PGconn *database_connect(const struct config *config, struct database_failure *failure)
	__attribute__((warn_unused_result));

/* A message of libpq's as one line, without "ERROR:" and the line end. */
void database_one_line(const char *message, char *line, size_t size);

#endif
