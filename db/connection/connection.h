/*
 * connection.h - one connection to PostgreSQL, in pipeline mode
 *
 * Statements are sent one behind the other and their results come back in order; each result
 * is given to the callback of its statement. Prepared statements are kept per connection in a
 * bounded LRU by their text. Non-blocking underneath: while it sends it takes in what arrives,
 * since a pipeline whose two ends both wait to write stands still for ever.
 *
 * After a statement's error the server skips everything up to the next sync; the first error
 * is kept and connection_drain() returns it.
 *
 * One thread at a time. Sources: libpq manual, "Pipeline Mode"; PostgreSQL's own
 * src/test/modules/libpq_pipeline.
 */
#ifndef DB_CONNECTION_CONNECTION_H
#define DB_CONNECTION_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "db/connection/failure.h"
#include "db/connection/params.h"
#include "db/connection/rows.h"

struct connection;

struct connection_options {
	const char *const
		*keywords; /* libpq's conninfo, ending in NULL; must outlive the connection */
	const char *const *values;
	bool prepared_statements; /* false: for poolers that do not know them */
	size_t statement_cache;   /* prepared statements kept; 0: the default, 256 */
	/* Of an eventfd or pipe: once it is readable nobody waits for the server any more. What runs is
	 * cancelled and the connection lost. NULL: none. */
	const int *give_up_fd;
};

typedef void connection_result_fn(void *arg, const struct rows *rows);

struct connection *connection_new(const struct connection_options *options);
void connection_free(struct connection *connection);

/* Connects if it is not connected. False: the cause is in *failure. Waits connect_timeout. */
bool connection_open(struct connection *connection, struct db_failure *failure)
	__attribute__((warn_unused_result));
/* Drops the connection and everything under way on it. */
void connection_close(struct connection *connection);
/* A cancelled statement is by itself taken to be cancelled for others' sake (DB_CONTEND). With
 * `blame`, it is the statement's own fault (DB_COMMAND): statement_timeout, and not for once. */
void connection_blame_cancels(struct connection *c, bool blame);

bool connection_is_open(const struct connection *connection);

/*
 * Sends `sql` with every :"schema" replaced by the quoted `schema` (NULL: sql is taken as it
 * is), and `params` (NULL: none; copied by libpq). `done` (may be NULL) is called from
 * connection_drain with the rows. `tag` comes back in the failure if this statement fails.
 * A connection already lost takes the call and does nothing; drain tells.
 */
void connection_send(struct connection *connection, const char *sql, const char *schema,
	struct params *params, connection_result_fn *done, void *arg, void *tag);

/* Of the statement sent last: rows beyond so many bytes are let go of as they come, instead of being
 * in memory all at once. Its callback is given those before. For results that may be of any size:
 * each row costs about a microsecond more. */
void connection_bound(struct connection *connection, size_t bytes);
/* In a callback: were there more rows than the bound of its statement? */
bool connection_rows_cut(const struct connection *connection);

/*
 * Waits for the results of all that was sent, calling the callbacks, which may send more.
 * DB_OK, or the kind of the first failure, told in *failure. After any failure but DB_LOST
 * the connection is past a sync and usable, but a transaction that was open is aborted.
 */
enum db_kind connection_drain(struct connection *connection, struct db_failure *failure)
	__attribute__((warn_unused_result));

/* The same behind a sync: outside a transaction this is what makes statements permanent. */
enum db_kind connection_sync(struct connection *connection, struct db_failure *failure)
	__attribute__((warn_unused_result));

/* ROLLBACK; a failure closes the connection, which has the same effect. */
void connection_rollback(struct connection *connection);

/* The tag of the last completed command ("COMMIT", "ROLLBACK", "INSERT 0 1"). */
const char *connection_last_tag(const struct connection *connection);

/* Forgets all prepared statements (after DB_STALE); outside a transaction only. */
void connection_forget_statements(struct connection *connection);

#endif
