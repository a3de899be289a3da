/*
 * check_query.h - checks the role of clients' own statements (storage.query)
 */
#ifndef WORKER_CLI_CHECK_QUERY_H
#define WORKER_CLI_CHECK_QUERY_H

#include <libpq-fe.h>

#include "worker/cli/check_report.h"

/* Says whether a worker with this configuration would run clients' statements, and if not, why. Prints nothing while storage.query is off. */
void check_query(struct check *check, PGconn *conn);

#endif
