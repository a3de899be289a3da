/*
 * query_settings.h - the planner's and pgvector's settings for a search
 */
#ifndef HANDLERS_DOMAINS_VECTORS_QUERY_SETTINGS_H
#define HANDLERS_DOMAINS_VECTORS_QUERY_SETTINGS_H

#include "handlers/domains/vectors/query.h"

/* hnsw.ef_search: the command's `ef`, or by topK and the index's m. */
int64_t query_settings_ef(const struct vectors_query *query);

/* Sends the settings. They end with the transaction, or when a savepoint before them is rolled
 * back. */
void query_settings_send(struct context *ctx, const struct vectors_query *query);

#endif
