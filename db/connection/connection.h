/*
 * connection.h - one connection to PostgreSQL, in pipeline mode
 *
 * The caller sends statements without waiting. Results arrive in the same order, and
 * connection_drain() passes each one to its statement's callback. The connection keeps prepared
 * statements in a bounded LRU cache by their text. It reads what arrives while it sends: a pipeline
 * deadlocks if both ends wait to write.
 *
 * After a statement fails, the server skips all statements up to the next sync. The connection keeps the
 * first failure, and connection_drain() returns it.
 *
 * One thread at a time. A unit test may replace the connection: it defines the functions of this header
 * and of copy.h, and the linker then takes none of them from this module.
 *
 * Sources: libpq manual, "Pipeline Mode"; PostgreSQL's src/test/modules/libpq_pipeline.
 */
#ifndef DB_CONNECTION_CONNECTION_H
#define DB_CONNECTION_CONNECTION_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/connection/failure.h"
#include "db/connection/params.h"
#include "db/connection/rows.h"

struct connection;

/* How long a statement may run, and how long it may wait for a lock of that time. */
struct statement_limits {
	int64_t run_ms, lock_ms;
};

/* Connects, and blocks meanwhile. Returns the connection also on failure; never NULL. */
typedef PGconn *connection_connect_fn(const void *arg);

struct connection_options {
	/* Called for each connect, so that it can read rotated secrets. Any thread. */
	connection_connect_fn *connect;
	const void *connect_arg;
	bool prepared_statements; /* false: for poolers without support for them */
	size_t statement_cache;   /* how many prepared statements to keep; 0: the default, 256 */
	const char *own_schema;   /* NULL: none; statements of other schemas are tenants' */
	size_t tenant_bytes; /* of text of tenants' prepared statements; see statement_cache.h */
	/* The session's own limits: they hold where no others are sent. run_ms 0: none. A pooler's session gets
	 * none. */
	struct statement_limits limits;
	/* An eventfd or pipe. When it is readable, a wait for the server ends: the connection cancels the
	 * running statement and closes. NULL: none. */
	const int *give_up_fd;
};

/* `rows` is valid until the callback returns. */
typedef void connection_result_fn(void *arg, const struct rows *rows);

/* Not connected yet. Free with connection_free. */
struct connection *connection_new(const struct connection_options *options);
void connection_free(struct connection *connection);

/* Connects unless connected; blocks for up to connect_timeout for each host. False: the cause is in
 * *failure. */
bool connection_open(struct connection *connection, struct db_failure *failure)
	__attribute__((warn_unused_result));
/* Closes the connection and forgets what is pending on it. */
void connection_close(struct connection *connection);
bool connection_is_open(const struct connection *connection);
/* Does a pooler, such as PgBouncer, stand between this end and the server? Each transaction may then run
 * in another session of the server. Known once the connection was open. */
bool connection_is_pooled(const struct connection *connection);

/*
 * Sends `sql` with every :"schema" replaced by the quoted `schema` (NULL: sends sql unchanged), and
 * `params` (NULL: none; libpq copies them). connection_drain calls `done` (may be NULL) with the rows.
 * The failure carries `tag` if this statement fails. Does nothing on a lost connection;
 * connection_drain reports the loss.
 */
void connection_send(struct connection *connection, const char *sql, const char *schema,
	struct params *params, connection_result_fn *done, void *arg, void *tag);
/* The same for a statement whose text depends on a request. The server keeps it prepared only within
 * bounds: see statement_cache.h. */
void connection_send_composed(struct connection *connection, const char *sql, const char *schema,
	struct params *params, connection_result_fn *done, void *arg, void *tag);

/* Asks the server what `sql`, sent as it is, takes and returns: `done` gets rows without a row, for
 * rows_param_oid and rows_oid. The server parses the statement and does not run it; more than one
 * statement is an error. `oids` are the types of the first `count` parameters, 0: the server infers it. */
void connection_describe(struct connection *connection, const char *sql, const uint32_t *oids,
	int count, connection_result_fn *done, void *arg, void *tag);

/* Sends what makes the connection prepare all its statements again: a client's SQL may have changed them
 * in this session. */
void connection_renew_statements(struct connection *connection);
/* Sends what gives the session its settings back: a client's SQL may have changed them. */
void connection_reset_settings(struct connection *connection);

/* When the server started, and when it last recovered from a crash of one of its processes, as known when
 * the connection was opened; in microseconds, 0: unknown. */
struct db_life {
	int64_t started, recovered;
};
struct db_life connection_life(const struct connection *connection);

/* Sends the limits for the statements that follow in the open transaction. */
void connection_limit(struct connection *c, struct statement_limits limits);
/* Outside of a transaction a limit lasts until the next sync. With run_ms > 0 the connection sends the
 * limits before the first statement behind each sync, from now on; with 0 the session's limits hold. */
void connection_limit_syncs(struct connection *c, struct statement_limits limits);

/* Calls `fn` once if the connection is still waiting for the server at `tick` (clock_tick_ms; 0: never).
 * `tag` belongs to the oldest statement that has one and no result yet; NULL: there is none. */
typedef void connection_waits_fn(void *arg, void *tag);
void connection_watch(struct connection *c, int64_t tick, connection_waits_fn *fn, void *arg);

/* Bounds the result of the statement sent last: its callback gets the first row, and further ones up to
 * `bytes` in all. The connection discards the others as they arrive. For results of unknown size; each
 * row costs about 1 us more. */
void connection_bound(struct connection *connection, size_t bytes);
/* The callback of the statement sent last gets each row by itself as it arrives, and in the end a result
 * without rows. So a result of any size needs the memory of one row. */
void connection_stream(struct connection *connection);
/* In a callback: did the bound cut off rows of this result? */
bool connection_rows_cut(const struct connection *connection);

/*
 * Waits for the results of all sent statements and calls their callbacks, which may send more.
 * Returns DB_OK, or the kind of the first failure, with the failure in *failure. After any failure but
 * DB_LOST the connection is past a sync and usable, but an open transaction is aborted. A session that
 * turns out to be read-only is closed: it is one of a former primary, and a new one may be writable.
 */
enum db_kind connection_drain(struct connection *connection, struct db_failure *failure)
	__attribute__((warn_unused_result));

/* Sends a sync first, then drains. Outside of a transaction the sync commits the statements. */
enum db_kind connection_sync(struct connection *connection, struct db_failure *failure)
	__attribute__((warn_unused_result));

/* Sends ROLLBACK and waits. On failure closes the connection, which has the same effect. */
void connection_rollback(struct connection *connection);

/* The command tag of the last completed statement ("COMMIT", "ROLLBACK", "INSERT 0 1"). */
const char *connection_last_tag(const struct connection *connection);

/* Deallocates all prepared statements (after DB_STALE). Only outside of a transaction. Behind a pooler
 * they belong to sessions of the server that others use too: this connection then prepares no statement
 * any more. */
void connection_forget_statements(struct connection *connection);

#endif
