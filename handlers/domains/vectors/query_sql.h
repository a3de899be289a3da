/*
 * query_sql.h - the SQL of a search
 *
 * Each function binds the parameters of its statement, in ctx->params, and returns the statement,
 * in the arena. NULL: the call has failed, and no parameter is bound.
 */
#ifndef HANDLERS_DOMAINS_VECTORS_QUERY_SQL_H
#define HANDLERS_DOMAINS_VECTORS_QUERY_SQL_H

#include "handlers/domains/vectors/query.h"

/* The columns of every search. */
enum {
	QUERY_COLUMN_ID, /* null in a row that only says that the result is complete */
	QUERY_COLUMN_SCORE,
	QUERY_COLUMN_METADATA,
	QUERY_COLUMN_VECTOR,
	QUERY_COLUMN_IS_ALL, /* query_sql_index: all matching rows were compared one by one */
};

/* Compares all matching rows one by one. */
const char *query_sql_exact(struct context *ctx, const struct vectors_query *query);

/* Compares the matching rows one by one if they are few, and asks the index otherwise. */
const char *query_sql_index(struct context *ctx, const struct vectors_query *query);

/* Asks the index alone. */
const char *query_sql_crowd(struct context *ctx, const struct vectors_query *query);

/* Searches by filter alone, in the order of the ids and without a score. */
const char *query_sql_filter(struct context *ctx, const struct vectors_query *query);

#endif
