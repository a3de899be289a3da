/*
 * connection_state.h - the inside of a connection, for connection*.c and copy.c only
 */
#ifndef DB_CONNECTION_CONNECTION_STATE_H
#define DB_CONNECTION_CONNECTION_STATE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "db/connection/connection.h"
#include "db/connection/statement.h"
#include "db/connection/statement_cache.h"

enum expected_kind {
	EXPECT_PREPARE,
	EXPECT_ROWS,
	EXPECT_SYNC,
};

#define COPY_RELEASE "RELEASE SAVEPOINT stowage_copy"

/* One answer that the server owes. */
struct expected {
	enum expected_kind kind;
	connection_result_fn *done;
	void *arg;
	void *tag;
	size_t bound;                  /* keep rows up to this many bytes; 0: all rows */
	bool stream;                   /* call `done` for each row */
	char name[STATEMENT_NAME_MAX]; /* EXPECT_PREPARE: the prepared statement */
};

struct connection {
	struct connection_options options;
	PGconn *pg;
	struct statement_cache *statements;
	struct expected *queue; /* a ring of queue_size, a power of two */
	size_t queue_size;
	size_t head, tail; /* count up; their low bits are the place in the ring */
	size_t unsent;     /* bytes passed to libpq since its buffer was last empty */
	bool unsynced;     /* a statement was sent since the last sync */
	bool copied;       /* the savepoint of a COPY must be released before the next statement */
	struct db_life life;
	struct db_failure farewell;     /* why the server ends the session; "" SQLSTATE: unknown */
	struct statement_limits limits; /* of connection_limit_syncs */
	struct params *limit_params;    /* scratch */
	int64_t watch_at;               /* of connection_watch */
	connection_waits_fn *watch_fn;
	void *watch_arg;
	bool pooled;    /* a connection pooler answers in the server's place */
	bool unnamed;   /* sends statements without preparing them */
	bool cut;       /* the current result lacks rows, because of its bound */
	bool exhausted; /* the current result lacks rows, because this process has no memory */
	bool failed; /* a statement failed since the last sync: the server skips those behind it */
	struct db_failure failure;
	char last_tag[64];
};

/* connection.c */

/* Closes a connection that can no longer be used and keeps `message` as the cause. */
void connection_lose(struct connection *c, const char *message);
/* Keeps the failure of a result unless the connection has one since the last sync. */
void connection_keep_failure(struct connection *c, const PGresult *result, void *tag);
/* The same for rows that this process has no memory for. */
void connection_keep_exhausted(struct connection *c, void *tag);
/* Moves the kept failure into *failure and returns its kind, DB_LOST if the connection is closed. */
enum db_kind connection_take_failure(struct connection *c, struct db_failure *failure);

/* connection_send.c */

/* Waits until the socket is readable (or writable, if `unsent`) and reads what arrived. */
void connection_wait(struct connection *c, bool unsent);
/* Writes to the socket; waits while more than `allowed` bytes are unsent. */
void connection_flush(struct connection *c, size_t allowed);
/* Sends `sql` as it is, without a prepared statement. `done` (may be NULL) gets the connection. */
void connection_send_unprepared(struct connection *c, const char *sql, connection_result_fn *done);
void connection_send_sync(struct connection *c);
/* Sends the limits that the options give to the session. */
void connection_limit_session(struct connection *c);

/* connection_drain.c */

/* Reads the next result. False: the connection is lost. NULL in *result ends a statement's results. */
bool connection_result(struct connection *c, PGresult **result);
/* Sends a sync and reads all answers; connection_drain reports a failure. */
void connection_settle(struct connection *c);

#endif
