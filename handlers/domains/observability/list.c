/* list.c - observability.listTraces and listTracesLight: a page of traces, one root span each */
#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/choice.h"
#include "handlers/core/paging.h"
#include "handlers/core/reply.h"
#include "handlers/core/stored_json.h"
#include "handlers/domains/observability/read.h"
#include "handlers/domains/observability/trace_filter.h"

#define DEFAULT_PER_PAGE 10
#define MAX_PER_PAGE 100

static const char *const modes[] = { "page", "delta", NULL };
static const char *const order_fields[] = { "startedAt", "endedAt", NULL };
static const char *const directions[] = { "ASC", "DESC", NULL };

/* A page on its way to the reply. */
struct listing {
	struct call *call;
	struct paging paging;
	const char *order; /* in the words that the statements know */
	int64_t total;
	/* Of a light list: what is kept of the rows. */
	struct datum *spans;
	uint32_t count, room;
};

/* ---------------------------------------------------------------- page and order */

static bool list_read_paging(struct context *ctx, struct call *call, struct paging *paging)
{
	const struct datum *given = datum_field(call->request,
		OBSERVABILITY_LIST_TRACES__PAGINATION);
	const struct datum none = datum_null(), *page = &none, *size = &none;

	if (!datum_is_null(given)) {
		page = datum_field(given, OBSERVABILITY_PAGINATION_ARGS__PAGE);
		size = datum_field(given, OBSERVABILITY_PAGINATION_ARGS__PER_PAGE);
	}
	if (!datum_is_null(size) && (size->integer < 1 || size->integer > MAX_PER_PAGE)) {
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_PAGE", NULL,
			"perPage must be from 1 to %d", MAX_PER_PAGE);
		return false;
	}
	return paging_read(ctx, call, page, size, DEFAULT_PER_PAGE, paging);
}

static bool list_read_order(struct context *ctx, struct call *call, const char **order)
{
	static const char *const orders[2][2] = {
		{ "startedAt ASC", "startedAt DESC" },
		{ "endedAt ASC", "endedAt DESC" },
	};
	const struct datum *given = datum_field(call->request, OBSERVABILITY_LIST_TRACES__ORDER_BY);
	int field = 0, direction = 1;

	if (!datum_is_null(given)) {
		const struct datum *by = datum_field(given, OBSERVABILITY_TRACES_ORDER_BY__FIELD);
		const struct datum *way = datum_field(given,
			OBSERVABILITY_TRACES_ORDER_BY__DIRECTION);
		if (!choice_ok(ctx, call, by, order_fields, "INVALID_ORDER", "orderBy.field") ||
			!choice_ok(ctx, call, way, directions, "INVALID_ORDER",
				"orderBy.direction"))
			return false;
		field = datum_is_null(by) ? field : choice_find(order_fields, by);
		direction = datum_is_null(way) ? direction : choice_find(directions, way);
	}
	*order = orders[field][direction];
	return true;
}

/* The reference checks which fields each mode allows, and then answers a delta like a first
 * page. */
static bool list_mode_ok(struct context *ctx, struct call *call)
{
	const struct datum *request = call->request;
	const struct datum *mode = datum_field(request, OBSERVABILITY_LIST_TRACES__MODE);
	const struct datum *after = datum_field(request, OBSERVABILITY_LIST_TRACES__AFTER);
	const struct datum *limit = datum_field(request, OBSERVABILITY_LIST_TRACES__LIMIT);
	const char *why = NULL;

	if (!choice_ok(ctx, call, mode, modes, "INVALID_MODE", "mode"))
		return false;
	bool delta = !datum_is_null(mode) && choice_find(modes, mode) == 1;
	bool paged = !datum_is_null(datum_field(request, OBSERVABILITY_LIST_TRACES__PAGINATION)) ||
		!datum_is_null(datum_field(request, OBSERVABILITY_LIST_TRACES__ORDER_BY));
	if (delta && paged)
		why = "pagination and orderBy are not allowed in delta mode";
	else if (!delta && !(datum_is_null(after) && datum_is_null(limit)))
		why = "after and limit are only allowed in delta mode";
	else if (!datum_is_null(after) && !after->size)
		why = "after must not be empty";
	else if (!datum_is_null(limit) && (limit->integer < 1 || limit->integer > MAX_PER_PAGE))
		why = "limit must be from 1 to 100";
	if (why)
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_MODE", NULL, "%s", why);
	return !why;
}

/* ---------------------------------------------------------------- the reply */

static void list_reply_page(struct context *ctx, const struct listing *listing, struct datum spans)
{
	const struct paging *paging = &listing->paging;
	struct datum page[OBSERVABILITY_PAGINATION_INFO_SIZE] = {
		[OBSERVABILITY_PAGINATION_INFO__TOTAL] = datum_integer(listing->total),
		[OBSERVABILITY_PAGINATION_INFO__PAGE] = datum_integer(paging->page),
		[OBSERVABILITY_PAGINATION_INFO__PER_PAGE] = paging_per_page(paging),
		[OBSERVABILITY_PAGINATION_INFO__HAS_MORE] = datum_boolean(paging_has_more(paging,
			listing->total)),
	};
	struct datum fields[OBSERVABILITY_LIST_TRACES_RESPONSE_SIZE] = {
		[OBSERVABILITY_LIST_TRACES_RESPONSE__PAGINATION] = datum_record(page,
			OBSERVABILITY_PAGINATION_INFO_SIZE),
		[OBSERVABILITY_LIST_TRACES_RESPONSE__SPANS] = spans,
	};

	call_reply(ctx, listing->call,
		datum_record(fields, OBSERVABILITY_LIST_TRACES_RESPONSE_SIZE));
}

static void list_counted(struct context *ctx, const struct rows *rows, void *arg)
{
	struct listing *listing = arg;

	(void)ctx;
	listing->total = rows_integer(rows, 0, 0);
}

static struct datum list_row_preview(struct arena *arena, const struct rows *rows, int row,
	int column)
{
	size_t len = 0;

	if (rows_null(rows, row, column))
		return datum_null();
	const char *text = rows_text(rows, row, column, &len);
	struct datum input = datum_text(text, (uint32_t)len);
	input = stored_json(arena, &input);
	return span_preview(arena, &input);
}

static const struct type *list_spans_type(const struct call *call)
{
	return reply_result_type(call)
		->fields[OBSERVABILITY_LIST_TRACES_RESPONSE__SPANS]
		.type->item;
}

static void list_page_read(struct context *ctx, const struct rows *rows, void *arg)
{
	const struct listing *listing = arg;
	struct datum spans = stored_rows(ctx, rows, list_spans_type(listing->call));

	for (uint32_t i = 0; i < spans.size; i++) {
		struct datum *fields = spans.items[i].items;
		fields[OBSERVABILITY_TRACE_SPAN__STATUS] =
			span_status(&fields[OBSERVABILITY_TRACE_SPAN__ERROR],
				&fields[OBSERVABILITY_TRACE_SPAN__ENDED_AT]);
	}
	list_reply_page(ctx, listing, spans);
}

/* Texts of a row end with it. */
static void list_copy_texts(struct context *ctx, struct datum *fields, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (fields[i].kind == DATUM_TEXT)
			fields[i].text = arena_copy(ctx->arena, fields[i].text, fields[i].size);
}

/* The preview is short, what it is made of may be large. */
static struct datum list_keep_preview(struct context *ctx, const struct rows *rows)
{
	char bytes[SPAN_PREVIEW_BYTES];
	struct arena_mark mark = arena_mark(ctx->arena);
	struct datum preview = list_row_preview(ctx->arena, rows, 0, rows_column(rows, "input"));

	if (datum_is_null(&preview))
		return preview;
	uint32_t size = preview.size < sizeof(bytes) ? preview.size : sizeof(bytes);
	memcpy(bytes, preview.text, size);
	arena_rewind(ctx->arena, mark);
	return datum_text(arena_copy(ctx->arena, bytes, size), size);
}

static void list_keep_light_span(struct context *ctx, struct listing *listing,
	const struct rows *rows)
{
	struct datum span = stored_row(ctx, rows, 0, list_spans_type(listing->call));
	struct datum *fields = span.items;

	list_copy_texts(ctx, fields, span.size);
	fields[OBSERVABILITY_LIGHT_SPAN_RECORD__STATUS] =
		span_status(&fields[OBSERVABILITY_LIGHT_SPAN_RECORD__ERROR],
			&fields[OBSERVABILITY_LIGHT_SPAN_RECORD__ENDED_AT]);
	fields[OBSERVABILITY_LIGHT_SPAN_RECORD__INPUT_PREVIEW] = list_keep_preview(ctx, rows);
	if (listing->count < listing->room)
		listing->spans[listing->count++] = span;
}

/* Called for each span as it arrives, and at the end: a page of large inputs needs the memory of one. */
static void list_light_page_read(struct context *ctx, const struct rows *rows, void *arg)
{
	struct listing *listing = arg;

	if (rows_count(rows))
		list_keep_light_span(ctx, listing, rows);
	else
		list_reply_page(ctx, listing, datum_array(listing->spans, listing->count));
}

static void list_send_page(struct context *ctx, struct listing *listing)
{
	bool light = listing->call->command->id == COMMAND_ID_OBSERVABILITY_LIST_TRACES_LIGHT;

	if (!trace_filter_bind(ctx, listing->call))
		return;
	context_send(ctx, SQL_OBSERVABILITY_LIST_TRACES__COUNT, list_counted, listing);
	if (!trace_filter_bind(ctx, listing->call))
		return;
	params_text(ctx->params, listing->order, strlen(listing->order));
	bind_paging(ctx->params, &listing->paging);
	if (light) {
		listing->room = (uint32_t)listing->paging.per_page; /* up to MAX_PER_PAGE */
		listing->spans = arena_calloc(ctx->arena, listing->room, sizeof(*listing->spans));
		context_stream(ctx);
		context_send(ctx, SQL_OBSERVABILITY_LIST_TRACES_LIGHT__PAGE, list_light_page_read,
			listing);
		return;
	}
	context_bound(ctx, listing->call);
	context_send(ctx, SQL_OBSERVABILITY_LIST_TRACES__PAGE, list_page_read, listing);
}

/* Both commands have the same request, and the same reply except for the spans' type. */
void observability_list_traces(struct context *ctx)
{
	struct listing *listing = arena_calloc(ctx->arena, 1, sizeof(*listing));
	struct call *call = ctx->calls[0];
	const struct datum *filters = datum_field(call->request,
		OBSERVABILITY_LIST_TRACES__FILTERS);
	bool none = false;

	listing->call = call;
	if (!list_mode_ok(ctx, call) || !list_read_paging(ctx, call, &listing->paging) ||
		!list_read_order(ctx, call, &listing->order))
		return;
	if (!datum_is_null(filters) &&
		!trace_filter_ok(ctx, call, filters,
			call->request_type->fields[OBSERVABILITY_LIST_TRACES__FILTERS].type, &none))
		return;
	if (none)
		list_reply_page(ctx, listing, datum_array(NULL, 0));
	else
		list_send_page(ctx, listing);
}
