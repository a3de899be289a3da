/*
 * check_statements.h - checks every SQL statement against its reply
 */
#ifndef WORKER_CLI_CHECK_STATEMENTS_H
#define WORKER_CLI_CHECK_STATEMENTS_H

#include <libpq-fe.h>

#include "worker/cli/check_pooler.h"
#include "worker/cli/check_report.h"

/* Prepares and plans every statement, without running it, and compares its columns with the fields of
 * the command's reply. Behind a pooler that gives statements its own names, they cannot be planned. */
void check_statements(struct check *check, PGconn *conn, enum pooler pooler);

#endif
