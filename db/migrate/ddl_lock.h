/*
 * ddl_lock.h - one `init` of a schema at a time, over all processes
 *
 * An advisory lock in a transaction of a connection of its own, since the work itself can be in
 * no transaction (concurrent index builds) and a session's lock would be lost or leaked behind
 * PgBouncer. It is only ever tried: a session that waited for it would hold a snapshot, for
 * which the index build of the session that has it would wait.
 *
 * Not thread-safe.
 */
#ifndef DB_MIGRATE_DDL_LOCK_H
#define DB_MIGRATE_DDL_LOCK_H

#include <libpq-fe.h>
#include <stddef.h>

struct ddl_lock;

enum ddl_lock_state {
	DDL_LOCK_HELD,
	DDL_LOCK_BUSY,
	DDL_LOCK_FAILED, /* `err` says why */
};

/* Connects as `conn` is connected; NULL, with `err`, if that fails. Free with ddl_lock_free. */
struct ddl_lock *ddl_lock_new(PGconn *conn, char *err, size_t errlen)
	__attribute__((warn_unused_result));
/* Tries to take the schema's lock; it is kept until ddl_lock_free. */
enum ddl_lock_state ddl_lock_try(struct ddl_lock *lock, const char *schema, char *err,
	size_t errlen) __attribute__((warn_unused_result));
void ddl_lock_free(struct ddl_lock *lock);

#endif
