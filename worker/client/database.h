/*
 * database.h - the PostgreSQL connection of the command line
 *
 * One thread. Blocking.
 */
#ifndef WORKER_CLIENT_DATABASE_H
#define WORKER_CLIENT_DATABASE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "worker/config/config.h"

#define DATABASE_ERROR_MAX 1024

/* Why connecting failed. */
struct database_failure {
	char why[DATABASE_ERROR_MAX]; /* one line */
	const char *hint;             /* the solution, static; NULL: none */
};

/* NULL on failure. Does not print the server's notices. Close the connection with PQfinish. */
PGconn *database_connect(const struct config *config, struct database_failure *failure)
	__attribute__((warn_unused_result));

/* Writes libpq's message as one line, without "ERROR:" and the line end. */
void database_one_line(const char *message, char *line, size_t size);

#endif
