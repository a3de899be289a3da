/*
 * budget.h - how long a command's statements may run, and whether one ran out of that time
 *
 * Statements of commands that share a batch get QUICK_MS. A command that needs longer runs again alone
 * in its batch, on one of the connections that slow work may take, with the whole time that
 * postgres.statementTimeoutMillis allows. A command never runs beyond its own deadline.
 *
 * PostgreSQL reports its own time-out, an operator's cancel and a lock conflict alike (SQLSTATE 57014),
 * in the server's language. So the elapsed time tells them apart.
 *
 * For the executor's thread.
 */
#ifndef WORKER_ENGINE_BUDGET_H
#define WORKER_ENGINE_BUDGET_H

#include "db/connection/connection.h"

/* A statement of a shared batch may run this long. It also bounds how long a slow command delays the
 * other lanes of its batch. */
#define QUICK_MS 5000
/* The log tells of a command that runs longer. */
#define LONG_MS 10000

struct budget {
	int64_t whole_ms, lock_ms; /* as configured */
	bool alone;                /* each command has the whole time */
	int64_t limit_ms;          /* of the statements that run now */
	bool by_deadline;          /* limit_ms is what is left until a deadline */
	int64_t since;             /* clock_tick_ms; they were sent after that time */
};

struct budget budget_new(int64_t whole_ms, int64_t lock_ms, bool alone);

/* Sets limit_ms for statements of commands of which the earliest deadline is deadline_ms (milliseconds
 * since the epoch; 0: none). */
void budget_set(struct budget *budget, int64_t deadline_ms);
/* The limits to tell the server. A wait for a lock ends long before the statement would. */
struct statement_limits budget_limits(const struct budget *budget);

/* From now on statements are sent. */
void budget_begin(struct budget *budget);
/* Did a statement fail because it ran for limit_ms, rather than because someone cancelled it? */
bool budget_is_spent(const struct budget *budget, const struct db_failure *failure);
/* Is limit_ms all the time that a command may get? */
bool budget_is_whole(const struct budget *budget);

/* Writes the error of a command that ran out of its budget; returns its code. */
const char *budget_describe(const struct budget *budget, char *text, size_t size);

#endif
