/*
 * migrate.h - brings a PostgreSQL schema to what this binary needs, or says what it lacks
 *
 * All functions take an idle connection (no transaction, no pipeline) that nobody else uses
 * meanwhile, and leave it idle. They block: not for an executor's thread in the middle of work.
 * Allocation failure ends the process. A function that fails returns false and writes the reason
 * into `err`; what it was to fill is empty then.
 */
#ifndef DB_MIGRATE_MIGRATE_H
#define DB_MIGRATE_MIGRATE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "db/migrate/ddl.h"

struct migrate_report {
	size_t statements; /* 0: everything was there */
	char **warnings;   /* indexes that could not be made, columns of another type, ... */
	size_t warning_count;
};

/*
 * Makes and migrates what is missing, and nothing else: a schema in order costs one look at the
 * catalog, no lock and no statement. New tables are made in one transaction; a table in use is
 * altered in one of its own with a short lock time-out, and its indexes are built concurrently.
 * Any number of workers, and the reference's init(), may do the same at the same time: it waits
 * for another init of the schema (up to a minute, not for index builds) and looks again after a
 * conflict. An index that can't be made is a warning; anything else ends it. Stopped in between,
 * it is to be run again.
 *
 * Opens a second connection while there is something to do (it holds the lock).
 */
bool migrate_init(PGconn *conn, const struct ddl_options *options, struct migrate_report *report,
	char *err, size_t errlen) __attribute__((warn_unused_result));
void migrate_report_free(struct migrate_report *report);

/* The SQL that migrate_init would run at this moment, statement by statement, BEGIN and COMMIT
 * included. */
struct migrate_sql {
	char **statements;
	size_t count;
};
bool migrate_plan(PGconn *conn, const struct ddl_options *options, struct migrate_sql *sql,
	char *err, size_t errlen) __attribute__((warn_unused_result));
void migrate_sql_free(struct migrate_sql *sql);

struct migrate_problem {
	bool severe; /* the worker can't run on this; else it is slower, or a type differs */
	char *text;  /* one line, with the way out */
};
struct migrate_problems {
	struct migrate_problem *items;
	size_t count;
	size_t severe_count;
};

/* What the schema lacks. One look at the catalog: cheap enough for a readiness probe. */
bool migrate_check(PGconn *conn, const struct ddl_options *options,
	struct migrate_problems *problems, char *err, size_t errlen)
	__attribute__((warn_unused_result));
void migrate_problems_free(struct migrate_problems *problems);

#endif
