/* ddl_lock.c - the advisory lock of init on its own connection */
#include "db/migrate/ddl_lock.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/migrate/ddl_catalog.h"
#include "schemas/base/clock.h"
#include "schemas/base/text.h"

#define BEAT_MS 1000

struct ddl_lock {
	PGconn *conn;
	int64_t beat_at; /* when the last statement was sent; clock_tick_ms */
	bool beating;    /* ... and its answer is due */
	bool lost;
};

/* Opens a second connection with the same parameters. */
static PGconn *ddl_lock_connect(PGconn *conn)
{
	PQconninfoOption *options = PQconninfo(conn);
	size_t count = 0, used = 0;

	if (!options)
		abort();
	while (options[count].keyword)
		count++;
	const char **keywords = calloc(count + 1, sizeof *keywords);
	const char **values = calloc(count + 1, sizeof *values);
	if (!keywords || !values)
		abort();
	for (size_t i = 0; i < count; i++) {
		if (!options[i].val)
			continue;
		keywords[used] = options[i].keyword;
		values[used++] = options[i].val;
	}
	PGconn *again = PQconnectdbParams(keywords, values, 0);
	free(keywords);
	free(values);
	PQconninfoFree(options);
	return again;
}

struct ddl_lock *ddl_lock_new(PGconn *conn, char *err, size_t errlen)
{
	struct ddl_lock *lock = calloc(1, sizeof *lock);

	if (!lock)
		abort();
	lock->conn = ddl_lock_connect(conn);
	char begin[96];
	snprintf(begin, sizeof(begin), "BEGIN; SET LOCAL idle_in_transaction_session_timeout = %d",
		DDL_IDLE_TIMEOUT_MS);
	PGresult *result = PQexec(lock->conn, begin);
	bool begun = PQresultStatus(result) == PGRES_COMMAND_OK;
	PQclear(result);
	lock->beat_at = clock_tick_ms();
	if (begun)
		return lock;
	ddl_say(lock->conn, "cannot open the connection for init's lock", err, errlen);
	ddl_lock_free(lock);
	return NULL;
}

enum ddl_lock_state ddl_lock_try(struct ddl_lock *lock, const char *schema, char *err,
	size_t errlen)
{
	enum ddl_lock_state state = DDL_LOCK_FAILED;
	struct buffer sql = { 0 };

	/* Use the simple protocol. The extended protocol's portal would keep its snapshot until the end of
	 * the transaction, and index builds would wait for that snapshot. */
	text_add(&sql,
		"SELECT pg_catalog.pg_try_advisory_xact_lock("
		"pg_catalog.hashtextextended('stowage init ' || ");
	text_add_literal(&sql, schema);
	text_add(&sql, ", 0))");
	PGresult *result = PQexec(lock->conn, text_string(&sql));
	buffer_free(&sql);
	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		state = !strcmp(PQgetvalue(result, 0, 0), "t") ? DDL_LOCK_HELD : DDL_LOCK_BUSY;
	else
		ddl_say(lock->conn, "cannot lock the schema for init", err, errlen);
	PQclear(result);
	return state;
}

/* Takes the answer to the last beat if it has come. */
static void ddl_lock_hear(struct ddl_lock *lock)
{
	PGresult *result;

	if (!PQconsumeInput(lock->conn))
		lock->lost = true;
	while (!lock->lost && lock->beating && !PQisBusy(lock->conn)) {
		result = PQgetResult(lock->conn);
		lock->beating = result != NULL;
		lock->lost = result && PQresultStatus(result) != PGRES_TUPLES_OK;
		PQclear(result);
	}
}

bool ddl_lock_beat(struct ddl_lock *lock)
{
	int64_t now = clock_tick_ms();

	ddl_lock_hear(lock);
	if (lock->beating && now - lock->beat_at > DDL_IDLE_TIMEOUT_MS)
		lock->lost = true; /* the server is out of reach */
	if (lock->lost || lock->beating || now - lock->beat_at < BEAT_MS)
		return !lock->lost;
	lock->beat_at = now;
	lock->beating = PQsendQuery(lock->conn, "SELECT 1") == 1;
	lock->lost = !lock->beating;
	return !lock->lost;
}

void ddl_lock_free(struct ddl_lock *lock)
{
	if (!lock)
		return;
	PQfinish(lock->conn);
	free(lock);
}
