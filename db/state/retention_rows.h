/*
 * retention_rows.h - which worker of a group deletes old rows now, and when the last one began
 *
 * Statements on stowage_retention (db/ddl/stowage.sql), a row for each group. A worker that deletes has a
 * lease. If it dies, another worker goes on when the lease has expired.
 *
 * Each function waits for its result, outside of a transaction. One thread at a time.
 */
#ifndef DB_STATE_RETENTION_ROWS_H
#define DB_STATE_RETENTION_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "db/connection/connection.h"

/* Borrowed strings. */
struct retention_lease {
	const char *schema, *group;
	const char *owner;     /* this worker */
	struct params *params; /* scratch */
	int64_t every_ms;      /* from one beginning to the next */
	int64_t lease_ms;
};

/* *ours: it is time, or a run was left unfinished, and this worker has the lease now. */
enum db_kind retention_rows_claim(struct connection *connection,
	const struct retention_lease *lease, bool *ours, struct db_failure *failure)
	__attribute__((warn_unused_result));
/* *ours: false if another worker has the lease. */
enum db_kind retention_rows_renew(struct connection *connection,
	const struct retention_lease *lease, bool *ours, struct db_failure *failure)
	__attribute__((warn_unused_result));
/* The run has ended, or, if not `done`, any worker may go on with it at once. */
enum db_kind retention_rows_end(struct connection *connection, const struct retention_lease *lease,
	bool done, struct db_failure *failure) __attribute__((warn_unused_result));

#endif
