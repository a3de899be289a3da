/*
 * query.h - one vectors.query: what the command asks for, and what the search knows so far
 *
 * Shared by the query*.c files only.
 */
#ifndef HANDLERS_DOMAINS_VECTORS_QUERY_H
#define HANDLERS_DOMAINS_VECTORS_QUERY_H

#include "handlers/domains/vectors/index.h"

struct vectors_query {
	struct call *call;
	struct datum vector; /* null: search by filter alone */
	const struct datum *filter;
	struct datum namespace;
	int64_t top_k;
	double min_score;
	bool include_vector;
	const struct vectors_index *index;
	const char
		*stamp;  /* the catalog's stamp, from the hint or just read; NULL: no such index */
	bool used_hints; /* `index` comes from a hint */
	bool stale;      /* the hint is stale */
	bool crowded;    /* the hint says: too many rows to compare; only the index is asked */
	bool exact;      /* the result is complete, however many rows it has */
};

#endif
