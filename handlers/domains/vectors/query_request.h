/*
 * query_request.h - reads and checks the request of vectors.query
 */
#ifndef HANDLERS_DOMAINS_VECTORS_QUERY_REQUEST_H
#define HANDLERS_DOMAINS_VECTORS_QUERY_REQUEST_H

#include "handlers/domains/vectors/query.h"

/* Fills in `query` from the request of query->call. False: the call has failed. */
bool query_request_read(struct context *ctx, struct vectors_query *query)
	__attribute__((warn_unused_result));

#endif
