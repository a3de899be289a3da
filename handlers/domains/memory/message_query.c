/* message_query.c - the options of the commands that list messages, and their SQL conditions */
#include "handlers/domains/memory/message_query.h"

#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/domains/memory/metadata_filter.h"

#define DEFAULT_PER_PAGE 40

/* The options have the same field numbers in both requests, so one function reads them. */
#define SAME_PLACE(field) \
	_Static_assert((int)MEMORY_LIST_MESSAGES__##field == \
			(int)MEMORY_LIST_MESSAGES_BY_RESOURCE_ID__##field, \
		#field " must have one place in both list methods")
SAME_PLACE(INCLUDE);
SAME_PLACE(PER_PAGE);
SAME_PLACE(PAGE);
SAME_PLACE(FILTER);
SAME_PLACE(ORDER_BY);
SAME_PLACE(INCLUDE_TOTAL);

/* ---------------------------------------------------------------- options */

static const struct datum none;

static const struct datum *message_query_field(const struct datum *record, unsigned index)
{
	return datum_is_null(record) ? &none : datum_field(record, index);
}

static bool message_query_is_true(const struct datum *flag)
{
	return !datum_is_null(flag) && flag->boolean;
}

static bool message_query_read_range(struct context *ctx, struct message_query *query,
	const struct datum *filter)
{
	const struct datum *range = message_query_field(filter, MEMORY_MESSAGE_FILTER__DATE_RANGE);

	query->start = message_query_field(range, MEMORY_DATE_RANGE__START);
	query->end = message_query_field(range, MEMORY_DATE_RANGE__END);
	query->start_exclusive = message_query_is_true(message_query_field(range,
		MEMORY_DATE_RANGE__START_EXCLUSIVE));
	query->end_exclusive = message_query_is_true(message_query_field(range,
		MEMORY_DATE_RANGE__END_EXCLUSIVE));
	return binding_time_ok(ctx, query->call, query->start, "filter.dateRange.start") &&
		binding_time_ok(ctx, query->call, query->end, "filter.dateRange.end");
}

static bool message_query_check_include(struct context *ctx, struct call *call,
	const struct datum *include)
{
	for (uint32_t i = 0; i < include->size; i++) {
		const struct datum *one = &include->items[i];
		const struct datum *before = datum_field(one,
			MEMORY_MESSAGE_INCLUDE__WITH_PREVIOUS_MESSAGES);
		if (!datum_is_null(before) && before->integer < -1) {
			call_fail(ctx, call, FAILURE_INVALID, "INVALID_INCLUDE", NULL,
				"include.withPreviousMessages must not be negative");
			return false;
		}
		if (!binding_text_ok(ctx, call, datum_field(one, MEMORY_MESSAGE_INCLUDE__ID),
			    "include.id"))
			return false;
	}
	return true;
}

bool message_query_read(struct context *ctx, struct message_query *query)
{
	struct call *call = query->call;
	const struct datum *request = call->request;
	const struct datum *filter = datum_field(request, MEMORY_LIST_MESSAGES__FILTER);
	const struct datum *include = datum_field(request, MEMORY_LIST_MESSAGES__INCLUDE);
	const struct datum *total = datum_field(request, MEMORY_LIST_MESSAGES__INCLUDE_TOTAL);

	query->order = (struct memory_order){ .field = "createdAt" };
	query->include = datum_is_null(include) || !include->size ? &none : include;
	query->include_total = datum_is_null(total) || total->boolean;
	return paging_read(ctx, call, datum_field(request, MEMORY_LIST_MESSAGES__PAGE),
		       datum_field(request, MEMORY_LIST_MESSAGES__PER_PAGE), DEFAULT_PER_PAGE,
		       &query->paging) &&
		metadata_filter_read(ctx, call,
			message_query_field(filter, MEMORY_MESSAGE_FILTER__METADATA),
			&query->metadata) &&
		memory_order_read(ctx, call, datum_field(request, MEMORY_LIST_MESSAGES__ORDER_BY),
			false, &query->order) &&
		message_query_read_range(ctx, query, filter) &&
		message_query_check_include(ctx, call, query->include);
}

/* ---------------------------------------------------------------- conditions */

static const char *message_query_thread_condition(const struct message_query *query)
{
	if (!query->thread_ids)
		return "true";
	/* With equality the index also returns the rows in order; with ANY PostgreSQL must sort. */
	return query->thread_ids->size == 1 ? "m.thread_id = $1::text"
					    : "m.thread_id = ANY ($1::text[])";
}

#define WHEN "COALESCE(m.\"createdAtZ\", m.\"createdAt\" AT TIME ZONE 'UTC')"

const char *message_query_where(struct context *ctx, const struct message_query *query)
{
	int at = query->thread_ids ? 1 : 0;
	struct json_text sql = json_text_new(ctx->arena);

	json_text_puts(&sql, message_query_thread_condition(query));
	if (query->resource_id)
		json_text_puts(&sql,
			arena_printf(ctx->arena, " AND m.\"resourceId\" = $%d::text", ++at));
	if (!datum_is_null(query->start))
		json_text_puts(&sql,
			arena_printf(ctx->arena, " AND " WHEN " %s $%d::timestamptz",
				query->start_exclusive ? ">" : ">=", ++at));
	if (!datum_is_null(query->end))
		json_text_puts(&sql,
			arena_printf(ctx->arena, " AND " WHEN " %s $%d::timestamptz",
				query->end_exclusive ? "<" : "<=", ++at));
	return json_text_end(&sql).text;
}

void message_query_bind(struct context *ctx, const struct message_query *query)
{
	if (query->thread_ids && query->thread_ids->size == 1)
		bind_text(ctx->params, &query->thread_ids->items[0]);
	else if (query->thread_ids)
		bind_texts(ctx->params, query->thread_ids);
	if (query->resource_id)
		bind_text(ctx->params, query->resource_id);
	if (!datum_is_null(query->start))
		bind_time(ctx->params, query->start);
	if (!datum_is_null(query->end))
		bind_time(ctx->params, query->end);
}
