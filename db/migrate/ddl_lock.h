/*
 * ddl_lock.h - lets one `init` of a schema run at a time, across all processes
 *
 * The lock is an advisory lock in a transaction on its own connection. The work itself cannot run in one
 * transaction (concurrent index builds), and PgBouncer would lose or leak a session's lock. Callers only
 * try the lock: a session that waits for it would hold a snapshot, and the owner's index build waits for
 * every older snapshot.
 *
 * The owner shows that it lives by a statement on that connection every second (ddl_wait.h does that while
 * it waits for its own statements). Without it, because the process is stopped or the network is cut, the
 * server ends the session after DDL_IDLE_TIMEOUT_MS, and the next init gets the lock.
 *
 * One thread at a time.
 */
#ifndef DB_MIGRATE_DDL_LOCK_H
#define DB_MIGRATE_DDL_LOCK_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

/* The server ends a transaction of init whose client sends nothing for this long. */
#define DDL_IDLE_TIMEOUT_MS 10000

struct ddl_lock;

enum ddl_lock_state {
	DDL_LOCK_HELD,
	DDL_LOCK_BUSY,
	DDL_LOCK_FAILED, /* `err` has the reason */
};

/* Connects with `conn`'s parameters. NULL: failed, `err` has the reason. Free with ddl_lock_free. */
struct ddl_lock *ddl_lock_new(PGconn *conn, char *err, size_t errlen)
	__attribute__((warn_unused_result));
/* Tries to get the schema's lock, and holds it until ddl_lock_free. */
enum ddl_lock_state ddl_lock_try(struct ddl_lock *lock, const char *schema, char *err,
	size_t errlen) __attribute__((warn_unused_result));
/* Shows that this process lives; at most one statement a second, and it does not wait for its answer. Call
 * it more often than every DDL_IDLE_TIMEOUT_MS. False: the lock is lost. */
bool ddl_lock_beat(struct ddl_lock *lock);
void ddl_lock_free(struct ddl_lock *lock);

#endif
