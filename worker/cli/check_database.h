/*
 * check_database.h - checks the connection, TLS, the server, pgvector, tables and statements
 */
#ifndef WORKER_CLI_CHECK_DATABASE_H
#define WORKER_CLI_CHECK_DATABASE_H

#include "worker/cli/check_report.h"

void check_database(struct check *check);

#endif
