/*
 * prune.h - deletes old rows, the oldest first, in small transactions
 *
 * Each batch is a transaction of its own. It passes over rows that another transaction has locked, so it
 * never waits for a command. A batch that runs out of time is tried again with a part of its rows.
 *
 * Blocking. For the thread that has the connection, outside of any transaction.
 */
#ifndef DB_RETENTION_PRUNE_H
#define DB_RETENTION_PRUNE_H

#include "db/connection/build_session.h"
#include "db/connection/connection.h"
#include "db/retention/retention.h"

#define PRUNE_BATCH_ROWS 1000

struct params;

/* A table to prune, and what came of it. */
struct prune_item {
	const struct retention_table *table;
	int64_t max_age_ms;
	int64_t batch_rows;
	int64_t deleted, parts; /* rows of the table, and those that went with them */
	bool done;              /* false: a bound, or `go_on`, ended it */
	bool failed;            /* its domain failed: see skip_failed */
};

struct prune_bounds {
	int64_t batches, rows; /* of one table; -1: none */
	int64_t pause_ms;      /* between batches */
};

struct prune {
	struct connection *connection;
	struct params *params;
	const struct connection_options *options; /* opens a session to build an index */
	const char *schema;
	int64_t now_ms;
	struct prune_bounds bounds;
	bool skip_failed; /* a domain that fails is left out; else it ends the prune */
	bool no_indexes;  /* creates none */
	struct statement_limits limits; /* of each batch; `go_on` may set them */
	/* Called before each batch, and about once a second while an index is built. Waits that long. False:
	 * ends the prune. */
	bool (*go_on)(void *arg, int64_t pause_ms);
	int wake_fd; /* -1, or readable when go_on should be asked at once; go_on reads it */
	/* A failure that does not end the prune. */
	void (*warn)(void *arg, const char *what, const char *table,
		const struct db_failure *failure);
	void *arg;
	bool stopped; /* go_on said so */
};

/* Prunes the items in their order. DB_OK, or why it ended early: DB_LOST and DB_OUTAGE can pass, all other
 * kinds are the tables' or the role's fault. What is deleted stays deleted. */
enum db_kind prune_run(struct prune *prune, struct prune_item *items, size_t count,
	struct db_failure *failure) __attribute__((warn_unused_result));

/* --- the module's own --- */

/* Creates the index on the table's anchor if it is missing. Without it a prune is slow but works, so
 * failures are only reported. DB_OK or DB_LOST, DB_OUTAGE. */
enum db_kind prune_index(struct prune *prune, const struct retention_table *table,
	struct db_failure *failure) __attribute__((warn_unused_result));

/* Deletes rows of vector tables whose message is gone, up to `most` of each table. Failures are reported,
 * as above. */
enum db_kind prune_vectors(struct prune *prune, int64_t most, struct db_failure *failure)
	__attribute__((warn_unused_result));

/* Runs the statement in `sql` once, or again if another transaction was in its way. `bind` sets its
 * parameters for a batch of *rows rows. *rows gets less if the statement takes too long. */
typedef void prune_bind_fn(struct params *params, const void *arg, int64_t rows);
struct prune_statement {
	const char *sql;
	prune_bind_fn *bind;
	const void *arg;
	connection_result_fn *done;
	void *result;
};
enum db_kind prune_send(struct prune *prune, const struct prune_statement *statement, int64_t *rows,
	struct db_failure *failure) __attribute__((warn_unused_result));

/* Asks go_on, and remembers that it said no. */
bool prune_may(struct prune *prune, int64_t pause_ms);
bool prune_can_pass(enum db_kind kind);

#endif
