/*
 * build_session.h - a connection for long statements outside of transactions: index builds
 *
 * While a statement runs, the session calls its owner about once a second; the owner can cancel the
 * statement. The session switches the server's timeouts off. It asks the server to stop when this end
 * disconnects, where the server supports that.
 *
 * One thread at a time.
 */
#ifndef DB_CONNECTION_BUILD_SESSION_H
#define DB_CONNECTION_BUILD_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "db/connection/connection.h"

struct build_session;

/* Connects; blocks. NULL: the cause is in *failure. Close with build_session_close. */
struct build_session *build_session_open(const struct connection_options *options,
	struct db_failure *failure) __attribute__((warn_unused_result));
void build_session_close(struct build_session *session);

/* Called while a statement runs. Return false to cancel the statement. */
typedef bool build_session_tick_fn(void *arg);

struct build_session_watch {
	int wake_fd; /* when readable, the session calls `tick` at once; `tick` reads it */
	build_session_tick_fn *tick;
	void *arg;
};

/* Runs one statement; blocks until it ends. *value (may be NULL) gets the first column of the first row
 * as a string that the caller frees, NULL if there is none. DB_LOST: the connection broke. */
enum db_kind build_session_run(struct build_session *session, const char *sql,
	const struct build_session_watch *watch, char **value, struct db_failure *failure)
	__attribute__((warn_unused_result));

#endif
