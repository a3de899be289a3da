/*
 * list_messages.c - memory.listMessages and memory.listMessagesByResourceId
 *
 * The page, its total and the messages around those that `include` names come from statements
 * that do not depend on each other. They are sent together; the callback of the last one replies.
 */
#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/keys.h"
#include "handlers/domains/memory/message_list.h"
#include "handlers/domains/memory/message_query.h"
#include "handlers/domains/memory/message_read.h"

struct listing {
	struct message_query query;
	int64_t total;            /* matches in the table; 0 until they are counted */
	struct message_scan scan; /* the page */
	struct datum *included;   /* the messages around those in `include` */
	int included_count;
};

/* ---------------------------------------------------------------- the reply */

static void list_messages_reply(struct context *ctx, struct listing *listing, bool has_more,
	struct datum messages)
{
	struct datum fields[MEMORY_LIST_MESSAGES_OUTPUT_SIZE] = {
		[MEMORY_LIST_MESSAGES_OUTPUT__TOTAL] = datum_integer(listing->total),
		[MEMORY_LIST_MESSAGES_OUTPUT__PAGE] = datum_integer(listing->query.paging.page),
		[MEMORY_LIST_MESSAGES_OUTPUT__PER_PAGE] = paging_per_page(&listing->query.paging),
		[MEMORY_LIST_MESSAGES_OUTPUT__HAS_MORE] = datum_boolean(has_more),
		[MEMORY_LIST_MESSAGES_OUTPUT__MESSAGES] = messages,
	};

	call_reply(ctx, listing->query.call,
		datum_record(fields, MEMORY_LIST_MESSAGES_OUTPUT_SIZE));
}

/* The page and the included messages, each message once, in the order that the client wants. */
static struct datum list_messages_combine(struct context *ctx, const struct listing *listing)
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
	return message_list_sorted(list, listing->query.order.descending);
}

/* Do the page and the included messages together hold every message of the threads? */
static bool list_messages_has_all(struct context *ctx, const struct listing *listing,
	const struct datum *messages)
{
	const struct datum *thread_ids = listing->query.thread_ids;
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

static void list_messages_page_done(struct context *ctx, struct message_scan *scan, void *arg)
{
	struct listing *listing = arg;
	struct paging *paging = &listing->query.paging;
	bool has_more;

	if (scan->too_large) {
		list_messages_reply(ctx, listing, true, message_scan_raw(scan));
		return;
	}
	if (scan->filter.text) {
		listing->total = scan->matches;
		has_more = paging_has_more(paging, listing->total);
	} else if (!listing->query.include_total) {
		/* The scan read one row more than the page: see list_messages_send_page. */
		has_more = !paging->all && scan->count > paging->per_page;
		scan->count -= has_more;
		listing->total = paging->offset + scan->count;
	} else {
		has_more = paging_has_more(paging, listing->total);
	}
	struct datum messages = list_messages_combine(ctx, listing);
	if (has_more && !scan->filter.text && listing->query.include_total)
		has_more = !list_messages_has_all(ctx, listing, &messages);
	list_messages_reply(ctx, listing, has_more, messages);
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
	if (listing->query.paging.per_page == 0)
		list_messages_reply(ctx, listing, false, list_messages_combine(ctx, listing));
}

static int64_t list_messages_count_of(const struct datum *number)
{
	return datum_is_null(number) || number->integer < 0 ? 0 : number->integer;
}

/* For each message in `include`: the message itself, the ones before it and the ones after it. */
static void list_messages_send_include(struct context *ctx, struct listing *listing)
{
	const struct datum *include = listing->query.include;
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
			list_messages_count_of(datum_field(one,
				MEMORY_MESSAGE_INCLUDE__WITH_NEXT_MESSAGES)));
	}
	bind_text(params, listing->query.resource_id);
	context_send(ctx, SQL_MEMORY_LIST_MESSAGES__INCLUDE, list_messages_included, listing);
}

static void list_messages_send_count(struct context *ctx, struct listing *listing)
{
	message_query_bind(ctx, &listing->query);
	context_send_sql(ctx,
		arena_printf(ctx->arena,
			"SELECT count(*) FROM :\"schema\".mastra_messages AS m WHERE %s",
			listing->scan.where),
		list_messages_counted, listing);
}

static void list_messages_bind(struct context *ctx, void *arg)
{
	const struct listing *listing = arg;

	message_query_bind(ctx, &listing->query);
}

static void list_messages_send_page(struct context *ctx, struct listing *listing)
{
	const struct message_query *query = &listing->query;
	struct message_scan *scan = &listing->scan;
	/* Without a total, one extra row shows whether there is a next page. */
	bool peek = !query->include_total && !query->paging.all && !query->metadata.text;

	scan->call = query->call;
	scan->where = message_query_where(ctx, query);
	scan->bind = list_messages_bind;
	scan->done = list_messages_page_done;
	scan->arg = listing;
	scan->descending = query->order.descending;
	scan->filter = query->metadata;
	scan->offset = query->paging.offset;
	scan->limit = query->paging.per_page + peek;
	scan->count_all = scan->filter.text;
	if (!scan->filter.text && query->include_total)
		list_messages_send_count(ctx, listing);
	message_scan_start(ctx, scan);
}

static void list_messages_send(struct context *ctx, struct listing *listing)
{
	if (!message_query_read(ctx, &listing->query))
		return;
	bool include = !datum_is_null(listing->query.include);
	if (include)
		list_messages_send_include(ctx, listing);
	if (listing->query.paging.per_page > 0)
		list_messages_send_page(ctx, listing);
	else if (!include)
		list_messages_reply(ctx, listing, false, datum_array(NULL, 0));
}

/* ---------------------------------------------------------------- the commands */

/* Does the text hold only characters that JavaScript's String.prototype.trim() removes? */
static bool list_messages_is_blank(const struct datum *text)
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

static bool list_messages_check_thread_ids(struct context *ctx, struct call *call,
	const struct datum *thread_ids)
{
	bool blank = thread_ids->size == 0;

	for (uint32_t i = 0; i < thread_ids->size; i++)
		blank |= list_messages_is_blank(&thread_ids->items[i]);
	if (blank) {
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_THREAD_ID", NULL,
			"threadId must be a non-empty string or array of non-empty strings");
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

	listing->query.call = call;
	listing->query.thread_ids = datum_field(call->request, MEMORY_LIST_MESSAGES__THREAD_ID);
	if (!datum_is_null(resource_id) && resource_id->size)
		listing->query.resource_id = resource_id;
	if (list_messages_check_thread_ids(ctx, call, listing->query.thread_ids) &&
		binding_text_ok(ctx, call, resource_id, "resourceId"))
		list_messages_send(ctx, listing);
}

void memory_list_messages_by_resource_id(struct context *ctx)
{
	struct listing *listing = arena_calloc(ctx->arena, 1, sizeof(*listing));
	struct call *call = ctx->calls[0];

	listing->query.call = call;
	listing->query.resource_id = datum_field(call->request,
		MEMORY_LIST_MESSAGES_BY_RESOURCE_ID__RESOURCE_ID);
	if (list_messages_is_blank(listing->query.resource_id)) {
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_QUERY", NULL,
			"resourceId is required");
		return;
	}
	if (binding_text_ok(ctx, call, listing->query.resource_id, "resourceId"))
		list_messages_send(ctx, listing);
}
