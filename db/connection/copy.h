/*
 * copy.h - rows into a table by COPY FROM STDIN, in the middle of a pipelined transaction
 *
 * COPY is the cheapest way in that PostgreSQL has, but it knows no conflict, and libpq does not
 * let it into a pipeline. So a copy stands behind a savepoint and out of the pipeline, which it
 * waits for first: three round trips, to be had by some hundred rows.
 *
 *   if (copy_begin(connection, sql, schema, tag)) {
 *       copy_rows(connection, bytes, size);   once or more
 *       end = copy_end(connection, tag);
 *   }
 *
 * Inside a transaction only. The bytes are those of params_copy() (db/connection/params.h).
 */
#ifndef DB_CONNECTION_COPY_H
#define DB_CONNECTION_COPY_H

#include "db/connection/connection.h"

enum copy_end {
	COPY_DONE,     /* the rows are in */
	COPY_CONFLICT, /* a unique key is there already: none is in, the transaction goes on */
	COPY_FAILED,   /* as a failed statement: connection_drain tells */
};

/* `sql` is a COPY ... FROM STDIN (FORMAT binary), with :"schema" as in connection_send. False: it
 * did not begin, because something failed; connection_drain tells. */
bool copy_begin(struct connection *connection, const char *sql, const char *schema, void *tag)
	__attribute__((warn_unused_result));
void copy_rows(struct connection *connection, const void *bytes, size_t size);
enum copy_end copy_end(struct connection *connection, void *tag)
	__attribute__((warn_unused_result));

#endif
