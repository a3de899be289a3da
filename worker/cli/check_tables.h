/*
 * check_tables.h - checks what others did to the tables: publications, columns, partitions
 */
#ifndef WORKER_CLI_CHECK_TABLES_H
#define WORKER_CLI_CHECK_TABLES_H

#include <libpq-fe.h>

#include "worker/cli/check_report.h"

/* Reports what makes the server refuse rows. Blocks for some queries. */
void check_tables(struct check *check, PGconn *conn);

#endif
