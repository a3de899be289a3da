/*
 * migrate.h - creates and migrates the objects of a PostgreSQL schema, or reports what it lacks
 *
 * All functions take an idle connection (no transaction, no pipeline) that nobody else uses meanwhile, and
 * leave it idle. They block for as long as the statements run, so no executor calls them within a batch.
 * A failed allocation aborts the process. A function that fails returns false, writes the reason into
 * `err`, and leaves its result empty.
 */
#ifndef DB_MIGRATE_MIGRATE_H
#define DB_MIGRATE_MIGRATE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "db/migrate/ddl.h"

struct migrate_report {
	size_t statements; /* 0: nothing was missing */
	char **warnings;   /* columns of another type, ... */
	size_t warning_count;
	char **failures; /* indexes that the schema lacks now; everything else is done */
	size_t failure_count;
};

/*
 * Creates and migrates what is missing, and nothing else. A complete schema costs one query of the catalog,
 * no lock and no change. Creates new tables in one transaction; alters a table in use in its own
 * transaction with a short lock timeout, and builds its indexes concurrently. Several workers, and the
 * reference's init(), may run at the same time: it waits for another init of the schema (up to a minute,
 * not for index builds) and plans again after a conflict. An index that cannot be built, or whose name
 * another index has, is a failure in the report, and the others are built all the same; any other failure
 * ends it. After an interruption, the caller runs it again.
 *
 * While there is work to do, it opens a second connection, which holds the lock. A process that is stopped
 * or cut off from the server loses the lock within seconds.
 */
bool migrate_init(PGconn *conn, const struct ddl_options *options, struct migrate_report *report,
	char *err, size_t errlen) __attribute__((warn_unused_result));
void migrate_report_free(struct migrate_report *report);

/* The statements that migrate_init would run at this moment, with BEGIN and COMMIT. */
struct migrate_sql {
	char **statements;
	size_t count;
};
bool migrate_plan(PGconn *conn, const struct ddl_options *options, struct migrate_sql *sql,
	char *err, size_t errlen) __attribute__((warn_unused_result));
void migrate_sql_free(struct migrate_sql *sql);

struct migrate_problem {
	bool severe; /* the worker cannot run; otherwise it is slower, or a type differs */
	bool fails;  /* an index of the configuration that init cannot create */
	char *text;  /* one line, with what to do */
};
struct migrate_problems {
	struct migrate_problem *items;
	size_t count;
	size_t severe_count;
};

/* Reports what the schema lacks. One query of the catalog: cheap enough for a readiness probe. */
bool migrate_check(PGconn *conn, const struct ddl_options *options,
	struct migrate_problems *problems, char *err, size_t errlen)
	__attribute__((warn_unused_result));
void migrate_problems_free(struct migrate_problems *problems);

#endif
