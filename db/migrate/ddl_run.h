/*
 * ddl_run.h - runs the steps of a plan
 *
 * Blocks. Nobody else may use the connection meanwhile.
 */
#ifndef DB_MIGRATE_DDL_RUN_H
#define DB_MIGRATE_DDL_RUN_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "db/migrate/ddl_lock.h"
#include "db/migrate/ddl_plan.h"

enum ddl_outcome {
	DDL_DONE,
	DDL_CONFLICT, /* another session changed or locked an object: plan again; `err` has the cause */
	DDL_FAILED,   /* `err` has the reason */
	DDL_UNLOCKED, /* init's lock is lost: stop; `err` says so */
};

/* The totals over several runs. Zero at first; free with ddl_tally_free. */
struct ddl_tally {
	size_t statements;
	char **failed; /* indexes that cannot be built */
	char **reasons;
	size_t failed_count;
};

/* Runs all steps under init's lock. Adds an index that cannot be built to the tally and continues. */
enum ddl_outcome ddl_run(PGconn *conn, struct ddl_lock *lock, const struct ddl_plan *plan,
	struct ddl_tally *tally, char *err, size_t errlen) __attribute__((warn_unused_result));

bool ddl_tally_failed(const struct ddl_tally *tally, const char *index);
void ddl_tally_free(struct ddl_tally *tally);

#endif
