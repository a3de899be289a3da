/* observability.listTraces and listTracesLight: one row a trace, its root span. */
#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/choice.h"
#include "handlers/core/paging.h"
#include "handlers/core/reply.h"
#include "handlers/core/span_types.h"
#include "handlers/core/stored_json.h"
#include "handlers/domains/observability/read.h"
#include "handlers/domains/observability/span.h"

#define DEFAULT_PER_PAGE 10
#define MAX_PER_PAGE 100

static const char *const statuses[] = { "success", "error", "running", NULL };
static const char *const modes[] = { "page", "delta", NULL };
static const char *const order_fields[] = { "startedAt", "endedAt", NULL };
static const char *const directions[] = { "ASC", "DESC", NULL };

/* A page on its way. */
struct listing {
	struct call *call;
	struct paging paging;
	const char *order; /* as the statements know it */
	int64_t total;
};

/* ---------------------------------------------------------------- the filter */

/* What a null does that is given: it is refused where the reference's schema refuses it, equals
 * nothing where it becomes a condition, and else is no condition. */
enum null_meaning {
	NULL_REFUSED,
	NULL_MATCHES_NONE,
	NULL_IGNORED,
};

static const uint8_t null_meanings[OBSERVABILITY_TRACES_FILTER_SIZE] = {
	[OBSERVABILITY_TRACES_FILTER__ENTITY_TYPE] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__ENTITY_ID] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__ENTITY_NAME] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__PARENT_ENTITY_TYPE] = NULL_IGNORED,
	[OBSERVABILITY_TRACES_FILTER__PARENT_ENTITY_ID] = NULL_IGNORED,
	[OBSERVABILITY_TRACES_FILTER__PARENT_ENTITY_NAME] = NULL_IGNORED,
	[OBSERVABILITY_TRACES_FILTER__ROOT_ENTITY_TYPE] = NULL_IGNORED,
	[OBSERVABILITY_TRACES_FILTER__ROOT_ENTITY_ID] = NULL_IGNORED,
	[OBSERVABILITY_TRACES_FILTER__ROOT_ENTITY_NAME] = NULL_IGNORED,
	[OBSERVABILITY_TRACES_FILTER__USER_ID] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__ORGANIZATION_ID] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__RESOURCE_ID] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__RUN_ID] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__SESSION_ID] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__THREAD_ID] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__REQUEST_ID] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__ENVIRONMENT] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__SERVICE_NAME] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__SCOPE] = NULL_IGNORED,
	[OBSERVABILITY_TRACES_FILTER__ENTITY_VERSION_ID] = NULL_IGNORED,
	[OBSERVABILITY_TRACES_FILTER__PARENT_ENTITY_VERSION_ID] = NULL_IGNORED,
	[OBSERVABILITY_TRACES_FILTER__ROOT_ENTITY_VERSION_ID] = NULL_IGNORED,
	[OBSERVABILITY_TRACES_FILTER__EXPERIMENT_ID] = NULL_IGNORED,
	[OBSERVABILITY_TRACES_FILTER__SOURCE] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__METADATA] = NULL_IGNORED,
	[OBSERVABILITY_TRACES_FILTER__TAGS] = NULL_IGNORED,
};

/* Columns that are compared for equality, as the statements number them. Fields of the filter
 * that are not here or below (traceId, the parent's and root's entities, versions, the
 * experiment) are no condition for the reference either. */
static const unsigned equals[] = {
	OBSERVABILITY_TRACES_FILTER__SPAN_TYPE,
	OBSERVABILITY_TRACES_FILTER__ENTITY_TYPE,
	OBSERVABILITY_TRACES_FILTER__ENTITY_ID,
	OBSERVABILITY_TRACES_FILTER__ENTITY_NAME,
	OBSERVABILITY_TRACES_FILTER__USER_ID,
	OBSERVABILITY_TRACES_FILTER__ORGANIZATION_ID,
	OBSERVABILITY_TRACES_FILTER__RESOURCE_ID,
	OBSERVABILITY_TRACES_FILTER__RUN_ID,
	OBSERVABILITY_TRACES_FILTER__SESSION_ID,
	OBSERVABILITY_TRACES_FILTER__THREAD_ID,
	OBSERVABILITY_TRACES_FILTER__REQUEST_ID,
	OBSERVABILITY_TRACES_FILTER__ENVIRONMENT,
	OBSERVABILITY_TRACES_FILTER__SOURCE,
	OBSERVABILITY_TRACES_FILTER__SERVICE_NAME,
};
#define EQUALS_COUNT (sizeof(equals) / sizeof(equals[0]))

static bool literals_fit(struct context *ctx, struct call *call, const struct datum *filters)
{
	static const struct {
		unsigned field;
		const char *const *known;
		const char *code;
		const char *name;
	} literals[] = {
		{ OBSERVABILITY_TRACES_FILTER__SPAN_TYPE, span_types, "INVALID_SPAN_TYPE",
			"filters.spanType" },
		{ OBSERVABILITY_TRACES_FILTER__ENTITY_TYPE, span_entity_types,
			"INVALID_ENTITY_TYPE", "filters.entityType" },
		{ OBSERVABILITY_TRACES_FILTER__PARENT_ENTITY_TYPE, span_entity_types,
			"INVALID_ENTITY_TYPE", "filters.parentEntityType" },
		{ OBSERVABILITY_TRACES_FILTER__ROOT_ENTITY_TYPE, span_entity_types,
			"INVALID_ENTITY_TYPE", "filters.rootEntityType" },
		{ OBSERVABILITY_TRACES_FILTER__STATUS, statuses, "INVALID_STATUS",
			"filters.status" },
	};

	for (size_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++)
		if (!choice_ok(ctx, call, datum_field(filters, literals[i].field),
			    literals[i].known, literals[i].code, literals[i].name))
			return false;
	return true;
}

/* *none: a null is among the conditions, so nothing can match. */
static bool nulls_fit(struct context *ctx, struct call *call, const struct datum *filters,
	const struct type *type, bool *none)
{
	const struct datum *names = datum_field(filters, OBSERVABILITY_TRACES_FILTER__IS_NULL);

	for (uint32_t i = 0; i < names->size; i++) {
		const struct datum *name = &names->items[i];
		int field = type_field_index(type, name->text, name->size);
		if (field < 0 || null_meanings[field] == NULL_REFUSED) {
			call_fail(ctx, call, FAILURE_INVALID, "INVALID_IS_NULL", NULL,
				"isNull names %.*s, which is no filter that can be null",
				(int)name->size, name->text);
			return false;
		}
		*none |= null_meanings[field] == NULL_MATCHES_NONE;
	}
	return true;
}

static bool object_ok(struct context *ctx, struct call *call, const struct datum *json,
	const char *name)
{
	enum json_kind kind = json_kind(json_of(json));

	if (kind == JSON_ABSENT || kind == JSON_OBJECT_KIND || kind == JSON_NULL_KIND)
		return true;
	call_fail(ctx, call, FAILURE_INVALID, "INVALID_FILTER", NULL, "%s must be an object", name);
	return false;
}

static bool filter_fits(struct context *ctx, struct call *call, const struct datum *filters,
	const struct type *type, bool *none)
{
	return literals_fit(ctx, call, filters) && nulls_fit(ctx, call, filters, type, none) &&
		object_ok(ctx, call, datum_field(filters, OBSERVABILITY_TRACES_FILTER__SCOPE),
			"filters.scope") &&
		object_ok(ctx, call, datum_field(filters, OBSERVABILITY_TRACES_FILTER__METADATA),
			"filters.metadata");
}

/* ---------------------------------------------------------------- binding the filter */

static bool bind_range(struct context *ctx, struct call *call, const struct datum *range,
	const char *name)
{
	const struct datum none = datum_null(), *start = &none, *end = &none;

	if (!datum_is_null(range)) {
		start = datum_field(range, OBSERVABILITY_DATE_RANGE__START);
		end = datum_field(range, OBSERVABILITY_DATE_RANGE__END);
	}
	return bind_typed(ctx, call, start, "timestamptz", name) &&
		bind_typed(ctx, call, end, "timestamptz", name);
}

/* What a jsonb column is to contain; null and [] are no condition. */
static bool bind_contained(struct context *ctx, struct call *call, const struct datum *json,
	const char *name)
{
	struct datum ready;

	if (!binding_json(ctx, call, json, name, &ready))
		return false;
	if (json_kind(json_of(&ready)) == JSON_NULL_KIND)
		ready = datum_null();
	bind_jsonb(ctx->params, &ready);
	return true;
}

static bool bind_tags(struct context *ctx, struct call *call, const struct datum *tags)
{
	const struct datum none = datum_null();

	if (datum_is_null(tags) || !tags->size)
		return bind_contained(ctx, call, &none, "filters.tags");
	struct datum json = span_texts_json(ctx->arena, tags);
	return bind_contained(ctx, call, &json, "filters.tags");
}

static bool list_traces_bind_conditions(struct context *ctx, struct call *call,
	const struct datum *filters, const struct type *type)
{
	if (!bind_range(ctx, call, datum_field(filters, OBSERVABILITY_TRACES_FILTER__STARTED_AT),
		    "filters.startedAt") ||
		!bind_range(ctx, call, datum_field(filters, OBSERVABILITY_TRACES_FILTER__ENDED_AT),
			"filters.endedAt"))
		return false;
	for (size_t i = 0; i < EQUALS_COUNT; i++)
		if (!bind_typed(ctx, call, datum_field(filters, equals[i]), "text",
			    type->fields[equals[i]].name))
			return false;
	return bind_contained(ctx, call, datum_field(filters, OBSERVABILITY_TRACES_FILTER__SCOPE),
		       "filters.scope") &&
		bind_contained(ctx, call,
			datum_field(filters, OBSERVABILITY_TRACES_FILTER__METADATA),
			"filters.metadata") &&
		bind_tags(ctx, call, datum_field(filters, OBSERVABILITY_TRACES_FILTER__TAGS)) &&
		bind_typed(ctx, call, datum_field(filters, OBSERVABILITY_TRACES_FILTER__STATUS),
			"text", "filters.status") &&
		bind_typed(ctx, call,
			datum_field(filters, OBSERVABILITY_TRACES_FILTER__HAS_CHILD_ERROR), "bool",
			"filters.hasChildError");
}

/* False: the call has failed and no parameter is left. */
static bool list_traces_bind_filter(struct context *ctx, struct call *call)
{
	const struct datum *filters = datum_field(call->request,
		OBSERVABILITY_LIST_TRACES__FILTERS);
	const int conditions = 4 + (int)EQUALS_COUNT + 5;

	if (datum_is_null(filters)) {
		for (int i = 0; i < conditions; i++)
			params_null(ctx->params);
		return true;
	}
	if (list_traces_bind_conditions(ctx, call, filters,
		    call->request_type->fields[OBSERVABILITY_LIST_TRACES__FILTERS].type))
		return true;
	params_reset(ctx->params);
	return false;
}

/* ---------------------------------------------------------------- page and order */

static bool read_paging(struct context *ctx, struct call *call, struct paging *paging)
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

static bool read_order(struct context *ctx, struct call *call, const char **order)
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

/* The reference checks what belongs to its modes, and then answers a delta like a first page. */
static bool mode_fits(struct context *ctx, struct call *call)
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

static void reply_page(struct context *ctx, const struct listing *listing, struct datum spans)
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

static void list_traces_counted(struct context *ctx, const struct rows *rows, void *arg)
{
	struct listing *listing = arg;

	(void)ctx;
	listing->total = rows_integer(rows, 0, 0);
}

static struct datum row_preview(struct arena *arena, const struct rows *rows, int row, int column)
{
	size_t len = 0;

	if (rows_null(rows, row, column))
		return datum_null();
	const char *text = rows_text(rows, row, column, &len);
	struct datum input = datum_text(text, (uint32_t)len);
	input = stored_json(arena, &input);
	return span_preview(arena, &input);
}

static const struct type *spans_type(const struct call *call)
{
	return reply_result_type(call)
		->fields[OBSERVABILITY_LIST_TRACES_RESPONSE__SPANS]
		.type->item;
}

static void page_read(struct context *ctx, const struct rows *rows, void *arg)
{
	const struct listing *listing = arg;
	struct datum spans = stored_rows(ctx, rows, spans_type(listing->call));

	for (uint32_t i = 0; i < spans.size; i++) {
		struct datum *fields = spans.items[i].items;
		fields[OBSERVABILITY_TRACE_SPAN__STATUS] =
			span_status(&fields[OBSERVABILITY_TRACE_SPAN__ERROR],
				&fields[OBSERVABILITY_TRACE_SPAN__ENDED_AT]);
	}
	reply_page(ctx, listing, spans);
}

static void light_page_read(struct context *ctx, const struct rows *rows, void *arg)
{
	const struct listing *listing = arg;
	struct datum spans = stored_rows(ctx, rows, spans_type(listing->call));
	int input = rows_column(rows, "input");

	for (uint32_t i = 0; i < spans.size; i++) {
		struct datum *fields = spans.items[i].items;
		fields[OBSERVABILITY_LIGHT_SPAN_RECORD__STATUS] =
			span_status(&fields[OBSERVABILITY_LIGHT_SPAN_RECORD__ERROR],
				&fields[OBSERVABILITY_LIGHT_SPAN_RECORD__ENDED_AT]);
		fields[OBSERVABILITY_LIGHT_SPAN_RECORD__INPUT_PREVIEW] = row_preview(ctx->arena,
			rows, (int)i, input);
	}
	reply_page(ctx, listing, spans);
}

static void list_traces_send_page(struct context *ctx, struct listing *listing)
{
	bool light = listing->call->command->id == COMMAND_ID_OBSERVABILITY_LIST_TRACES_LIGHT;

	if (!list_traces_bind_filter(ctx, listing->call))
		return;
	context_send(ctx, SQL_OBSERVABILITY_LIST_TRACES__COUNT, list_traces_counted, listing);
	if (!list_traces_bind_filter(ctx, listing->call))
		return;
	params_text(ctx->params, listing->order, strlen(listing->order));
	bind_paging(ctx->params, &listing->paging);
	if (light) {
		context_send(ctx, SQL_OBSERVABILITY_LIST_TRACES_LIGHT__PAGE, light_page_read,
			listing);
		return;
	}
	context_bound(ctx, listing->call);
	context_send(ctx, SQL_OBSERVABILITY_LIST_TRACES__PAGE, page_read, listing);
}

/* Both commands have the same request and reply, but for the spans' type. */
void observability_list_traces(struct context *ctx)
{
	struct listing *listing = arena_calloc(ctx->arena, 1, sizeof(*listing));
	struct call *call = ctx->calls[0];
	const struct datum *filters = datum_field(call->request,
		OBSERVABILITY_LIST_TRACES__FILTERS);
	bool none = false;

	listing->call = call;
	if (!mode_fits(ctx, call) || !read_paging(ctx, call, &listing->paging) ||
		!read_order(ctx, call, &listing->order))
		return;
	if (!datum_is_null(filters) &&
		!filter_fits(ctx, call, filters,
			call->request_type->fields[OBSERVABILITY_LIST_TRACES__FILTERS].type, &none))
		return;
	if (none)
		reply_page(ctx, listing, datum_array(NULL, 0));
	else
		list_traces_send_page(ctx, listing);
}
