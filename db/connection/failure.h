/*
 * failure.h - failures of PostgreSQL, by what the caller should do about them
 *
 * Source: SQLSTATE classes, PostgreSQL manual, Appendix A.
 */
#ifndef DB_CONNECTION_FAILURE_H
#define DB_CONNECTION_FAILURE_H

#include <stdbool.h>

#define DB_UNIQUE_VIOLATION "23505"
/* Our own: the rows, or what the command makes of them, need more memory than it may take. */
#define DB_ROWS_TOO_LARGE "SW002"

enum db_kind {
	DB_OK,
	DB_LOST,   /* the connection broke: a pending COMMIT may or may not have taken effect */
	DB_OUTAGE, /* temporary: out of resources, shutdown, read-only, too many connections */
	DB_CONTEND, /* rolled back because of other transactions: serialization, deadlock, lock timeout */
	DB_SETUP, /* table, column, key, permission, password, database: every command would fail */
	DB_STALE, /* a plan or a prepared statement is out of date: prepare again */
	DB_FENCED,  /* stowage_fence: another worker claimed a lane of the batch */
	DB_COMMAND, /* the statement itself is at fault */
};

struct db_failure {
	enum db_kind kind;
	char sqlstate[6];  /* "" after a lost connection */
	char message[512]; /* the server's primary message, or libpq's */
	char detail[256];
	const char *help; /* what an operator can do about it; static, or NULL */
	void *tag;        /* the failed statement's tag, as passed to connection_send */
};

/* The kind of an SQLSTATE; "" is DB_LOST. */
enum db_kind db_kind_of(const char *sqlstate);

/* Sets kind and help by the SQLSTATE and by the server's function that raised it: some SQLSTATEs stand
 * for a broken installation in one function, and for a bad command in all others. NULL: unknown. */
void db_failure_classify(struct db_failure *failure, const char *function);

/* The error names a column. A NULL in a column that somebody added to a table of ours is no command's
 * fault: the kind becomes DB_SETUP. Either may be NULL: unknown. */
void db_failure_blame_column(struct db_failure *failure, const char *table, const char *column);

#endif
