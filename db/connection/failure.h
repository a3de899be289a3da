/*
 * failure.h - what went wrong in PostgreSQL, sorted by what is to be done about it
 *
 * Source of the sorting: SQLSTATE classes, PostgreSQL manual, Appendix A.
 */
#ifndef DB_CONNECTION_FAILURE_H
#define DB_CONNECTION_FAILURE_H

#include <stdbool.h>

#define DB_UNIQUE_VIOLATION "23505"

enum db_kind {
	DB_OK,
	DB_LOST,    /* the connection is gone: what was on its way may be in or not */
	DB_OUTAGE,  /* for now: resources, shutdown, read-only, too many connections */
	DB_CONTEND, /* rolled back for others' sake: serialization, deadlock, lock time-out */
	DB_SETUP,   /* table, column, permission, password, database: every command would fail */
	DB_STALE,   /* a plan or a prepared statement is out of date: prepare again */
	DB_FENCED,  /* stowage_fence: a lane of the batch belongs to someone else */
	DB_COMMAND, /* the statement's own fault */
};

struct db_failure {
	enum db_kind kind;
	char sqlstate[6];  /* "" if there is none: a lost connection */
	char message[512]; /* the server's primary message, or libpq's */
	char detail[256];
	void *tag; /* of the statement that failed, as given to connection_send */
};

/* What an SQLSTATE asks for; "" is DB_LOST. */
enum db_kind db_kind_of(const char *sqlstate);

#endif
