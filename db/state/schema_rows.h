/*
 * schema_rows.h - do tenants' schemas have the tables and columns that the commands need?
 *
 * Reads the catalog alone, so it needs no right on the schemas. One thread at a time.
 */
#ifndef DB_STATE_SCHEMA_ROWS_H
#define DB_STATE_SCHEMA_ROWS_H

#include <stddef.h>

#include "db/connection/connection.h"

enum schema_state {
	SCHEMA_COMPLETE,
	SCHEMA_ABSENT,
	SCHEMA_CLOSED, /* the role has no right to use it */
	SCHEMA_LACKS,  /* a table or a column */
};

struct schema_look {
	const char *schema;
	enum schema_state state; /* the result */
	char lacks[132];         /* SCHEMA_LACKS: the first one, as table.column */
};

/* Looks at the schemas, outside of a transaction, and waits for the result. */
enum db_kind schema_rows_look(struct connection *connection, struct params *params,
	struct schema_look *looks, size_t count, struct db_failure *failure)
	__attribute__((warn_unused_result));

#endif
