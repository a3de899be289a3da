/*
 * check_pooler.c - looks for a connection pooler, and whether it knows prepared statements
 *
 * A pooler gives its clients a process id of its own making. PgBouncer from 1.21 on, with
 * max_prepared_statements above 0, gives prepared statements names of its own too.
 */
#include "worker/cli/check_pooler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Runs a query. Returns the number in its first row; 0 if there is none. */
static long check_pooler_ask(PGconn *conn, const char *sql)
{
	PGresult *result = PQexec(conn, sql);
	long number = PQntuples(result) == 1 ? strtol(PQgetvalue(result, 0, 0), NULL, 10) : 0;

	PQclear(result);
	return number;
}

/* Does a statement that this end prepares have the same name on the server? All in one transaction, so that
 * one session of the server sees it. */
static bool passes_names(PGconn *conn)
{
	char name[64], sql[160];
	bool passes;

	snprintf(name, sizeof(name), "stowage_pooler_%ld", (long)getpid());
	PQclear(PQexec(conn, "BEGIN"));
	PQclear(PQprepare(conn, name, "SELECT 1", 0, NULL));
	snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM pg_catalog.pg_prepared_statements WHERE name = '%s'", name);
	passes = check_pooler_ask(conn, sql) == 1;
	snprintf(sql, sizeof(sql), "DEALLOCATE %s", name);
	if (passes)
		PQclear(PQexec(conn, sql));
	PQclear(PQexec(conn, "ROLLBACK"));
	return passes;
}

enum pooler check_pooler(struct check *check, PGconn *conn)
{
	if (check_pooler_ask(conn, "SELECT pg_catalog.pg_backend_pid()") == PQbackendPID(conn))
		return POOLER_NONE;
	if (!passes_names(conn)) {
		check_ok(check, "pooler", "a connection pooler, which keeps prepared statements");
		return POOLER_KEEPS;
	}
	if (check->config->postgres.prepared_statements)
		check_note(check, "pooler",
			"in transaction mode set postgres.preparedStatements to false, or use PgBouncer "
			"1.21 or later with max_prepared_statements above 0",
			"a connection pooler, which does not keep prepared statements for its clients");
	else
		check_ok(check, "pooler", "a connection pooler; the worker prepares no statements");
	return POOLER_PASSES;
}
