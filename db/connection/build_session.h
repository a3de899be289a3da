/*
 * build_session.h - a connection for statements that take long and stand in no transaction
 *
 * While one runs its owner is called about once a second, and can have it cancelled. No time-out
 * of the server's applies; a server that can tell notices when this end is gone and stops.
 *
 * One thread at a time.
 */
#ifndef DB_CONNECTION_BUILD_SESSION_H
#define DB_CONNECTION_BUILD_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "db/connection/connection.h"

struct build_session;

/* NULL: the cause is in *failure. */
struct build_session *build_session_open(const struct connection_options *options,
	struct db_failure *failure) __attribute__((warn_unused_result));
void build_session_close(struct build_session *session);

/* Called while a statement runs; false: cancel it. */
typedef bool build_session_tick_fn(void *arg);

struct build_session_watch {
	int wake_fd; /* readable: call at once; the callee reads it */
	build_session_tick_fn *tick;
	void *arg;
};

/* Runs one statement. *value (may be NULL): the first column of its first row as a string to be
 * freed, NULL if there is none. A failure has kind DB_LOST if the connection is gone. */
enum db_kind build_session_run(struct build_session *session, const char *sql,
	const struct build_session_watch *watch, char **value, struct db_failure *failure)
	__attribute__((warn_unused_result));

#endif
