/*
 * ddl_plan.h - what a database lacks of a script, and the SQL that would make it
 *
 * Pure: compares a script with a catalog; migrate.h runs the steps. The plan points into the
 * script, which must outlive it. Not thread-safe.
 */
#ifndef DB_MIGRATE_DDL_PLAN_H
#define DB_MIGRATE_DDL_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "db/migrate/ddl.h"
#include "db/migrate/ddl_catalog.h"

/* How a step runs, in the order in which they run. */
enum ddl_mode {
	DDL_TOGETHER,   /* all of these in one transaction: they touch only what is new */
	DDL_ALONE,      /* in a transaction of its own: it locks a table in use */
	DDL_BRIEF,      /* the same, for the index of a table without a row */
	DDL_CONCURRENT, /* in none, statement by statement: other index builds */
};

struct ddl_step {
	enum ddl_mode mode;
	enum ddl_kind kind;
	bool severe;        /* the worker can't do without */
	const char *object; /* its name */
	char *lack;         /* what is wrong as long as it has not run */
	char *probe;        /* a query that says whether it is needed; NULL: it is */
	char **sql;
	size_t sql_count;
};

/* What is wrong and no step can mend. */
struct ddl_flaw {
	bool severe;
	char *text;
};

struct ddl_plan {
	const char *schema;
	struct ddl_step *steps; /* in the order of running */
	size_t step_count;
	struct ddl_flaw *flaws;
	size_t flaw_count;
	bool no_schema;
	bool no_tables;
	const char *too_new; /* the worker's own objects are of a later version: the flaw's text */
};

/* Free with ddl_plan_free. */
struct ddl_plan *ddl_plan_new(const struct ddl_script *script, const struct ddl_catalog *catalog);
void ddl_plan_free(struct ddl_plan *plan);

/* Leaves out step i. */
void ddl_plan_drop(struct ddl_plan *plan, size_t i);

#endif
