/*
 * check_tls.h - checks whether others on the network can read or change the connection to the database
 */
#ifndef WORKER_CLI_CHECK_TLS_H
#define WORKER_CLI_CHECK_TLS_H

#include <libpq-fe.h>

#include "worker/cli/check_report.h"

/* Prints the state of TLS that is in force on this connection, whoever chose it: the configuration, the
 * connection string, or libpq's environment. */
void check_tls(struct check *check, PGconn *conn);

#endif
