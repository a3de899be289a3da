/*
 * database.h - the command line's own connection to PostgreSQL
 *
 * One thread; blocking.
 */
#ifndef WORKER_DATABASE_H
#define WORKER_DATABASE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "db/ddl.h"
#include "worker/config.h"

#define DATABASE_ERROR_MAX 1024

/* Why a connection could not be made, and the way out of it. */
struct database_failure {
	char why[DATABASE_ERROR_MAX]; /* one line */
	const char *hint;             /* static; NULL */
};

/* NULL on failure. Notices of the server are not printed. Close it by PQfinish. */
PGconn *database_connect(const struct config *config, struct database_failure *failure)
	__attribute__((warn_unused_result));

/* The same, with the failure printed; CLI_DATABASE is the exit status then. */
struct cli;
PGconn *database_open(struct cli *cli, const struct config *config)
	__attribute__((warn_unused_result));

/* A message of libpq's as one line, without "ERROR:" and the line end. */
void database_one_line(const char *message, char *line, size_t size);

/* What the configuration asks of the tables. `indexes` must have room for
 * config->postgres.index_count and outlive the options. */
struct ddl_options database_ddl_options(const struct config *config, struct ddl_index *indexes);

#endif
