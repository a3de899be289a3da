/*
 * copy.h - writing rows by COPY FROM STDIN in the middle of a pipelined transaction
 *
 * COPY is PostgreSQL's cheapest way to insert rows. But it has no ON CONFLICT, and libpq does not allow
 * it in pipeline mode. So copy_begin waits for the pipeline, leaves it, and sets a savepoint. That costs
 * three round trips, two if another COPY came directly before. The savepoint is released with the next
 * statement.
 *
 *   if (copy_begin(connection, sql, schema, tag)) {
 *       copy_rows(connection, bytes, size);   one or more times
 *       end = copy_end(connection, tag);
 *   }
 *
 * Only inside of a transaction. params_copy() (db/connection/params.h) produces the bytes.
 */
#ifndef DB_CONNECTION_COPY_H
#define DB_CONNECTION_COPY_H

#include "db/connection/connection.h"

enum copy_end {
	COPY_DONE,     /* all rows are inserted */
	COPY_CONFLICT, /* a unique key exists already: no row is inserted, the transaction goes on */
	COPY_FAILED,   /* like a failed statement: connection_drain reports it */
};

/* `sql` is a COPY ... FROM STDIN (FORMAT binary), with :"schema" as in connection_send. False: an earlier
 * statement or the COPY failed; connection_drain reports it. */
bool copy_begin(struct connection *connection, const char *sql, const char *schema, void *tag)
	__attribute__((warn_unused_result));
void copy_rows(struct connection *connection, const void *bytes, size_t size);
enum copy_end copy_end(struct connection *connection, void *tag)
	__attribute__((warn_unused_result));

#endif
