/*
 * message_query.h - what memory.listMessages and memory.listMessagesByResourceId ask for
 *
 * Both commands have the same options. message_query_read() reads them from the request;
 * message_query_where() and message_query_bind() turn them into conditions on mastra_messages.
 */
#ifndef HANDLERS_DOMAINS_MEMORY_MESSAGE_QUERY_H
#define HANDLERS_DOMAINS_MEMORY_MESSAGE_QUERY_H

#include <stdbool.h>

#include "handlers/core/context.h"
#include "handlers/core/paging.h"
#include "handlers/domains/memory/order.h"
#include "schemas/json/json.h"

struct message_query {
	/* The command sets these before it calls message_query_read(). */
	struct call *call;
	const struct datum *thread_ids;  /* NULL: threads are not a condition */
	const struct datum *resource_id; /* NULL: any resource */
	/* The options. */
	const struct datum
		*include;          /* messages wanted in addition to the page: null, or not empty */
	const struct datum *start; /* of createdAt; null: no limit */
	const struct datum *end;
	bool start_exclusive;
	bool end_exclusive;
	bool include_total;
	struct json metadata; /* filter as metadata_filter_read() returns it; absent: none */
	struct paging paging;
	struct memory_order order;
};

/* Reads and checks the options. False: the call has failed. */
bool message_query_read(struct context *ctx, struct message_query *query)
	__attribute__((warn_unused_result));

/* The conditions on the table `m` except those on metadata, with the parameters $1, $2, ...;
 * lives in the arena. */
const char *message_query_where(struct context *ctx, const struct message_query *query);

/* Appends the values of these parameters, in order. */
void message_query_bind(struct context *ctx, const struct message_query *query);

#endif
