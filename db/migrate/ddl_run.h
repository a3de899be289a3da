/*
 * ddl_run.h - runs a plan's steps
 *
 * Not thread-safe: the connection is used by nobody else meanwhile.
 */
#ifndef DB_MIGRATE_DDL_RUN_H
#define DB_MIGRATE_DDL_RUN_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "db/migrate/ddl_plan.h"

enum ddl_outcome {
	DDL_DONE,
	DDL_CONFLICT, /* somebody else changed or locked the same: look again, `err` says what */
	DDL_FAILED,   /* `err` says why */
};

/* What runs of several plans add up to. Zero at first; free with ddl_tally_free. */
struct ddl_tally {
	size_t statements;
	char **failed; /* indexes that can't be made */
	char **reasons;
	size_t failed_count;
};

/* Runs all steps. An index that can't be made is tallied and does not stop the rest. */
enum ddl_outcome ddl_run(PGconn *conn, const struct ddl_plan *plan, struct ddl_tally *tally,
	char *err, size_t errlen) __attribute__((warn_unused_result));

bool ddl_tally_failed(const struct ddl_tally *tally, const char *index);
void ddl_tally_free(struct ddl_tally *tally);

#endif
