/*
 * ddl_wait.h - runs a statement of init and keeps init's lock meanwhile
 *
 * Blocks until the statement ends. One thread at a time.
 */
#ifndef DB_MIGRATE_DDL_WAIT_H
#define DB_MIGRATE_DDL_WAIT_H

#include <libpq-fe.h>

#include "db/migrate/ddl_lock.h"

/* The result of the statement that PQsend... has sent (`sent` is its return value), like PQexec's; the
 * caller clears it. `lock` may be NULL. If the lock is lost, the statement is cancelled. */
PGresult *ddl_wait_result(PGconn *conn, struct ddl_lock *lock, int sent);

/* Sends `sql` by the simple protocol and waits. */
PGresult *ddl_wait_for(PGconn *conn, struct ddl_lock *lock, const char *sql);

/* Waits for this time, in milliseconds. */
void ddl_wait_ms(struct ddl_lock *lock, long ms);

#endif
