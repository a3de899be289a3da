/*
 * check_pooler.h - checks for a connection pooler between this end and the server
 */
#ifndef WORKER_CLI_CHECK_POOLER_H
#define WORKER_CLI_CHECK_POOLER_H

#include <libpq-fe.h>

#include "worker/cli/check_report.h"

enum pooler {
	POOLER_NONE,
	POOLER_PASSES, /* prepared statements reach the server under the client's names */
	POOLER_KEEPS,  /* the pooler prepares them under its own names, wherever they are needed */
};

/* Says what to set, if there is a pooler. */
enum pooler check_pooler(struct check *check, PGconn *conn);

#endif
