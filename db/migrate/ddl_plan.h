/*
 * ddl_plan.h - the difference between a script and a database, and the SQL that removes it
 *
 * Pure functions: they compare a script with a catalog; ddl_run.h runs the steps. A plan points into the
 * script, which must outlive it. One thread at a time.
 */
#ifndef DB_MIGRATE_DDL_PLAN_H
#define DB_MIGRATE_DDL_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "db/migrate/ddl.h"
#include "db/migrate/ddl_catalog.h"

/* How a step runs, in the order in which they run. */
enum ddl_mode {
	DDL_TOGETHER,   /* all such steps in one transaction: they touch only new objects */
	DDL_ALONE,      /* in its own transaction: the step locks a table in use */
	DDL_BRIEF,      /* in its own transaction: the index of a table without rows */
	DDL_CONCURRENT, /* without a transaction, statement by statement: other index builds */
};

struct ddl_step {
	enum ddl_mode mode;
	enum ddl_kind kind;
	bool severe;        /* the worker cannot run without this step */
	const char *object; /* the object's name */
	char *lack;         /* what is wrong until the step has run */
	char *probe;        /* a query that tells whether the step is needed; NULL: it is needed */
	char **sql;
	size_t sql_count;
};

/* A difference that no step can fix. */
struct ddl_flaw {
	bool severe; /* the worker cannot run */
	bool fails;  /* the configuration asks for it, so init fails */
	char *text;
};

struct ddl_plan {
	const char *schema;
	struct ddl_step *steps; /* in the order in which they run */
	size_t step_count;
	struct ddl_flaw *flaws;
	size_t flaw_count;
	bool no_schema;
	bool no_tables;
	const char *
		too_new; /* the text of the flaw that the worker's own objects have a newer version */
};

/* Free with ddl_plan_free. */
struct ddl_plan *ddl_plan_new(const struct ddl_script *script, const struct ddl_catalog *catalog);
void ddl_plan_free(struct ddl_plan *plan);

/* Removes step i. */
void ddl_plan_drop(struct ddl_plan *plan, size_t i);
/* Adds a flaw and takes ownership of its text. `fails`: init fails because of it. */
void ddl_plan_flaw(struct ddl_plan *plan, bool fails, char *text);

#endif
