/*
 * memory.listMessages, listMessagesByResourceId, listMessagesById
 *
 * A page, its total and the messages around others that were asked for (`include`) are
 * statements that need nothing from each other, so they are sent together; the last one's
 * callback replies.
 */
#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/keys.h"
#include "handlers/core/paging.h"
#include "handlers/core/reply.h"
#include "handlers/domains/memory/message_list.h"
#include "handlers/domains/memory/message_read.h"
#include "handlers/domains/memory/metadata_filter.h"
#include "handlers/domains/memory/order.h"

#define DEFAULT_PER_PAGE 40

/* Both commands' options have the same fields, at the same places. */
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

struct listing {
	struct call *call;
	const struct datum *thread_ids;  /* NULL: by resource alone */
	const struct datum *resource_id; /* NULL: of any */
	const struct datum *include;     /* null, or not empty */
	const struct datum *start;
	const struct datum *end;
	bool start_exclusive;
	bool end_exclusive;
	bool include_total;
	struct paging paging;
	struct memory_order order;
	int64_t total;
	struct message_scan scan;
	struct datum *included;
	int included_count;
};

/* ---------------------------------------------------------------- what is asked for */

static const struct datum none;

static const struct datum *field_or_none(const struct datum *record, unsigned index)
{
	return datum_is_null(record) ? &none : datum_field(record, index);
}

static bool is_true(const struct datum *flag)
{
	return !datum_is_null(flag) && flag->boolean;
}

static bool read_range(struct context *ctx, struct listing *listing, const struct datum *filter)
{
	const struct datum *range = field_or_none(filter, MEMORY_MESSAGE_FILTER__DATE_RANGE);

	listing->start = field_or_none(range, MEMORY_DATE_RANGE__START);
	listing->end = field_or_none(range, MEMORY_DATE_RANGE__END);
	listing->start_exclusive = is_true(field_or_none(range,
		MEMORY_DATE_RANGE__START_EXCLUSIVE));
	listing->end_exclusive = is_true(field_or_none(range, MEMORY_DATE_RANGE__END_EXCLUSIVE));
	return binding_time_ok(ctx, listing->call, listing->start, "filter.dateRange.start") &&
		binding_time_ok(ctx, listing->call, listing->end, "filter.dateRange.end");
}

static bool include_fits(struct context *ctx, struct call *call, const struct datum *include)
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

static bool list_messages_read_options(struct context *ctx, struct listing *listing)
{
	struct call *call = listing->call;
	const struct datum *request = call->request;
	const struct datum *filter = datum_field(request, MEMORY_LIST_MESSAGES__FILTER);
	const struct datum *include = datum_field(request, MEMORY_LIST_MESSAGES__INCLUDE);
	const struct datum *total = datum_field(request, MEMORY_LIST_MESSAGES__INCLUDE_TOTAL);

	listing->order = (struct memory_order){ .field = "createdAt" };
	listing->include = datum_is_null(include) || !include->size ? &none : include;
	listing->include_total = datum_is_null(total) || total->boolean;
	return paging_read(ctx, call, datum_field(request, MEMORY_LIST_MESSAGES__PAGE),
		       datum_field(request, MEMORY_LIST_MESSAGES__PER_PAGE), DEFAULT_PER_PAGE,
		       &listing->paging) &&
		metadata_filter_read(ctx, call,
			field_or_none(filter, MEMORY_MESSAGE_FILTER__METADATA),
			&listing->scan.filter) &&
		memory_order_read(ctx, call, datum_field(request, MEMORY_LIST_MESSAGES__ORDER_BY),
			false, &listing->order) &&
		read_range(ctx, listing, filter) && include_fits(ctx, call, listing->include);
}

/* ---------------------------------------------------------------- conditions */

static const char *thread_condition(const struct listing *listing)
{
	if (!listing->thread_ids)
		return "true";
	/* Equality lets the index give the order too; ANY would sort. */
	return listing->thread_ids->size == 1 ? "m.thread_id = $1::text"
					      : "m.thread_id = ANY ($1::text[])";
}

#define WHEN "COALESCE(m.\"createdAtZ\", m.\"createdAt\" AT TIME ZONE 'UTC')"

static const char *list_messages_where(struct context *ctx, const struct listing *listing)
{
	int at = listing->thread_ids ? 1 : 0;
	struct json_text sql = json_text_new(ctx->arena);

	json_text_puts(&sql, thread_condition(listing));
	if (listing->resource_id)
		json_text_puts(&sql,
			arena_printf(ctx->arena, " AND m.\"resourceId\" = $%d::text", ++at));
	if (!datum_is_null(listing->start))
		json_text_puts(&sql,
			arena_printf(ctx->arena, " AND " WHEN " %s $%d::timestamptz",
				listing->start_exclusive ? ">" : ">=", ++at));
	if (!datum_is_null(listing->end))
		json_text_puts(&sql,
			arena_printf(ctx->arena, " AND " WHEN " %s $%d::timestamptz",
				listing->end_exclusive ? "<" : "<=", ++at));
	return json_text_end(&sql).text;
}

static void list_messages_bind_where(struct context *ctx, void *arg)
{
	const struct listing *listing = arg;

	if (listing->thread_ids && listing->thread_ids->size == 1)
		bind_text(ctx->params, &listing->thread_ids->items[0]);
	else if (listing->thread_ids)
		bind_texts(ctx->params, listing->thread_ids);
	if (listing->resource_id)
		bind_text(ctx->params, listing->resource_id);
	if (!datum_is_null(listing->start))
		bind_time(ctx->params, listing->start);
	if (!datum_is_null(listing->end))
		bind_time(ctx->params, listing->end);
}

/* ---------------------------------------------------------------- the reply */

static void reply_listing(struct context *ctx, struct listing *listing, bool has_more,
	struct datum messages)
{
	struct datum fields[MEMORY_LIST_MESSAGES_OUTPUT_SIZE] = {
		[MEMORY_LIST_MESSAGES_OUTPUT__TOTAL] = datum_integer(listing->total),
		[MEMORY_LIST_MESSAGES_OUTPUT__PAGE] = datum_integer(listing->paging.page),
		[MEMORY_LIST_MESSAGES_OUTPUT__PER_PAGE] = paging_per_page(&listing->paging),
		[MEMORY_LIST_MESSAGES_OUTPUT__HAS_MORE] = datum_boolean(has_more),
		[MEMORY_LIST_MESSAGES_OUTPUT__MESSAGES] = messages,
	};

	call_reply(ctx, listing->call, datum_record(fields, MEMORY_LIST_MESSAGES_OUTPUT_SIZE));
}

/* The page and what was included, each message once, in the order asked for. */
static struct datum all_messages(struct context *ctx, const struct listing *listing)
{
	struct message_list *list = message_list_new(ctx->arena);
	struct keys *seen = keys_new(ctx->arena, listing->scan.count);

	for (uint32_t i = 0; i < listing->scan.count; i++) {
		const struct datum *message = &listing->scan.messages[i];
		keys_add(seen, datum_field(message, MEMORY_MESSAGE__ID));
		message_list_add(list, message);
	}
	for (int i = 0; i < listing->included_count; i++) {
		const struct datum *message = &listing->included[i];
		uint32_t known = keys_count(seen);
		if (keys_add(seen, datum_field(message, MEMORY_MESSAGE__ID)) == known)
			message_list_add(list, message);
	}
	return message_list_sorted(list, listing->order.descending);
}

/* Are all messages of the threads in the reply, thanks to what was included? */
static bool threads_exhausted(struct context *ctx, const struct listing *listing,
	const struct datum *messages)
{
	const struct datum *thread_ids = listing->thread_ids;
	int64_t count = 0;

	if (!thread_ids)
		return false;
	struct keys *threads = keys_new(ctx->arena, thread_ids->size);
	for (uint32_t i = 0; i < thread_ids->size; i++)
		keys_add(threads, &thread_ids->items[i]);
	for (uint32_t i = 0; i < messages->size; i++)
		count += keys_find(threads,
				 datum_field(&messages->items[i], MEMORY_MESSAGE__THREAD_ID)) !=
			KEYS_NONE;
	return count >= listing->total;
}

static void page_done(struct context *ctx, struct message_scan *scan, void *arg)
{
	struct listing *listing = arg;
	struct paging *paging = &listing->paging;
	bool has_more;

	if (scan->too_large) {
		reply_listing(ctx, listing, true, message_scan_raw(scan));
		return;
	}
	if (scan->filter.text) {
		listing->total = scan->matches;
		has_more = paging_has_more(paging, listing->total);
	} else if (!listing->include_total) {
		/* One row more than the page was fetched, to look for a next page. */
		has_more = !paging->all && scan->count > paging->per_page;
		scan->count -= has_more;
		listing->total = paging->offset + scan->count;
	} else {
		has_more = paging_has_more(paging, listing->total);
	}
	struct datum messages = all_messages(ctx, listing);
	if (has_more && !scan->filter.text && listing->include_total)
		has_more = !threads_exhausted(ctx, listing, &messages);
	reply_listing(ctx, listing, has_more, messages);
}

/* ---------------------------------------------------------------- the statements */

static void list_messages_counted(struct context *ctx, const struct rows *rows, void *arg)
{
	struct listing *listing = arg;

	(void)ctx;
	listing->total = rows_integer(rows, 0, 0);
}

static void list_messages_included(struct context *ctx, const struct rows *rows, void *arg)
{
	struct listing *listing = arg;
	int count = rows_count(rows);

	listing->included = arena_calloc(ctx->arena, (size_t)count + 1, sizeof(struct datum));
	for (int i = 0; i < count; i++)
		listing->included[i] = message_of_row(ctx, rows, i);
	listing->included_count = count;
	if (listing->paging.per_page == 0)
		reply_listing(ctx, listing, false, all_messages(ctx, listing));
}

static int64_t count_of(const struct datum *number)
{
	return datum_is_null(number) || number->integer < 0 ? 0 : number->integer;
}

/* For each message asked for: those before it and itself, and those after it. */
static void send_include(struct context *ctx, struct listing *listing)
{
	const struct datum *include = listing->include;
	struct params *params = ctx->params;
	int id = params_array(params, ELEMENT_TEXT);
	int before = params_array(params, ELEMENT_INT8);
	int after = params_array(params, ELEMENT_INT8);

	for (uint32_t i = 0; i < include->size; i++) {
		const struct datum *one = &include->items[i];
		const struct datum *previous = datum_field(one,
			MEMORY_MESSAGE_INCLUDE__WITH_PREVIOUS_MESSAGES);
		bind_element_text(params, id, datum_field(one, MEMORY_MESSAGE_INCLUDE__ID));
		array_int8(params, before, datum_is_null(previous) ? 1 : previous->integer + 1);
		array_int8(params, after,
			count_of(datum_field(one, MEMORY_MESSAGE_INCLUDE__WITH_NEXT_MESSAGES)));
	}
	bind_text(params, listing->resource_id);
	context_send(ctx, SQL_MEMORY_LIST_MESSAGES__INCLUDE, list_messages_included, listing);
}

static void send_count(struct context *ctx, struct listing *listing)
{
	list_messages_bind_where(ctx, listing);
	context_send_sql(ctx,
		arena_printf(ctx->arena,
			"SELECT count(*) FROM :\"schema\".mastra_messages AS m WHERE %s",
			listing->scan.where),
		list_messages_counted, listing);
}

static void list_messages_send_page(struct context *ctx, struct listing *listing)
{
	struct message_scan *scan = &listing->scan;
	bool peek = !listing->include_total && !listing->paging.all && !scan->filter.text;

	scan->call = listing->call;
	scan->where = list_messages_where(ctx, listing);
	scan->bind = list_messages_bind_where;
	scan->done = page_done;
	scan->arg = listing;
	scan->descending = listing->order.descending;
	scan->offset = listing->paging.offset;
	scan->limit = listing->paging.per_page + peek;
	scan->count_all = scan->filter.text;
	if (!scan->filter.text && listing->include_total)
		send_count(ctx, listing);
	message_scan_start(ctx, scan);
}

static void list_messages_list(struct context *ctx, struct listing *listing)
{
	if (!list_messages_read_options(ctx, listing))
		return;
	bool include = !datum_is_null(listing->include);
	if (include)
		send_include(ctx, listing);
	if (listing->paging.per_page > 0)
		list_messages_send_page(ctx, listing);
	else if (!include)
		reply_listing(ctx, listing, false, datum_array(NULL, 0));
}

/* ---------------------------------------------------------------- the commands */

/* Nothing but what String.prototype.trim() takes away. */
static bool is_blank(const struct datum *text)
{
	static const char *const spaces[] = { " ", "\t", "\n", "\v", "\f", "\r", "\u00A0", "\uFEFF",
		"\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
		"\u2007", "\u2008", "\u2009", "\u200A", "\u2028", "\u2029", "\u202F", "\u205F",
		"\u3000" };
	uint32_t at = 0;

	while (at < text->size) {
		uint32_t begin = at;
		for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
			size_t len = strlen(spaces[i]);
			if (text->size - at >= len &&
				memcmp(text->text + at, spaces[i], len) == 0) {
				at += (uint32_t)len;
				break;
			}
		}
		if (at == begin)
			return false;
	}
	return true;
}

static bool thread_ids_fit(struct context *ctx, struct call *call, const struct datum *thread_ids)
{
	bool blank = thread_ids->size == 0;

	for (uint32_t i = 0; i < thread_ids->size; i++)
		blank |= is_blank(&thread_ids->items[i]);
	if (blank) {
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_THREAD_ID", NULL,
			"threadId must be one or more texts that are not blank");
		return false;
	}
	for (uint32_t i = 0; i < thread_ids->size; i++)
		if (!binding_text_ok(ctx, call, &thread_ids->items[i], "threadId"))
			return false;
	return true;
}

void memory_list_messages(struct context *ctx)
{
	struct listing *listing = arena_calloc(ctx->arena, 1, sizeof(*listing));
	struct call *call = ctx->calls[0];
	const struct datum *resource_id = datum_field(call->request,
		MEMORY_LIST_MESSAGES__RESOURCE_ID);

	listing->call = call;
	listing->thread_ids = datum_field(call->request, MEMORY_LIST_MESSAGES__THREAD_ID);
	if (!datum_is_null(resource_id) && resource_id->size)
		listing->resource_id = resource_id;
	if (thread_ids_fit(ctx, call, listing->thread_ids) &&
		binding_text_ok(ctx, call, resource_id, "resourceId"))
		list_messages_list(ctx, listing);
}

void memory_list_messages_by_resource_id(struct context *ctx)
{
	struct listing *listing = arena_calloc(ctx->arena, 1, sizeof(*listing));
	struct call *call = ctx->calls[0];

	listing->call = call;
	listing->resource_id = datum_field(call->request,
		MEMORY_LIST_MESSAGES_BY_RESOURCE_ID__RESOURCE_ID);
	if (is_blank(listing->resource_id)) {
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_QUERY", NULL,
			"resourceId is required");
		return;
	}
	if (binding_text_ok(ctx, call, listing->resource_id, "resourceId"))
		list_messages_list(ctx, listing);
}

static void found_by_id(struct context *ctx, const struct rows *rows, void *arg)
{
	struct call *call = arg;
	struct message_list *list = message_list_new(ctx->arena);

	for (int i = 0; i < rows_count(rows); i++) {
		struct datum message = message_of_row(ctx, rows, i);
		message_list_add(list, &message);
	}
	struct datum messages = message_list_result(list);
	call_reply(ctx, call, datum_record(&messages, MEMORY_MESSAGE_LIST_SIZE));
}

void memory_list_messages_by_id(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *ids = datum_field(call->request,
		MEMORY_LIST_MESSAGES_BY_ID__MESSAGE_IDS);

	for (uint32_t i = 0; i < ids->size; i++)
		if (!binding_text_ok(ctx, call, &ids->items[i], "messageIds"))
			return;
	bind_texts(ctx->params, ids);
	context_send(ctx, SQL_MEMORY_LIST_MESSAGES_BY_ID, found_by_id, call);
}
