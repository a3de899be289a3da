/* list_threads.c - memory.listThreads: the total and one page */
#include <string.h>

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/context.h"
#include "handlers/core/paging.h"
#include "handlers/core/reply.h"
#include "handlers/core/stored_json.h"
#include "handlers/domains/memory/metadata_filter.h"
#include "handlers/domains/memory/order.h"
#include "schemas/json/json.h"

#define DEFAULT_PER_PAGE 100

struct listing {
	struct call *call;
	struct paging paging;
	struct memory_order order;
	const struct datum *resource_id; /* NULL: all resources */
	struct datum metadata;           /* that a thread must contain; null: no condition */
	int64_t total;
};

static const struct datum *list_threads_filter_field(const struct call *call, unsigned index)
{
	static const struct datum none;
	const struct datum *filter = datum_field(call->request, MEMORY_LIST_THREADS__FILTER);

	return datum_is_null(filter) ? &none : datum_field(filter, index);
}

/* The reference rejects arrays and texts by their keys: in JavaScript both have keys like "0". */
static bool list_threads_read_metadata(struct context *ctx, struct listing *listing)
{
	const struct datum *given = list_threads_filter_field(listing->call,
		MEMORY_THREAD_FILTER__METADATA);
	enum json_kind kind = json_kind(json_of(given));

	if (kind == JSON_ARRAY_KIND || kind == JSON_STRING_KIND) {
		call_fail(ctx, listing->call, FAILURE_INVALID, "INVALID_METADATA_KEY", NULL,
			"filter.metadata must be an object");
		return false;
	}
	if (kind != JSON_OBJECT_KIND)
		return true;
	struct datum normal = json_normal(ctx->arena, given);
	normal.flags = given->flags;
	if (normal.size == strlen("{}"))
		return true; /* no condition, or threads without metadata would not match */
	return metadata_keys_ok(ctx, listing->call, json_of(&normal)) &&
		binding_json(ctx, listing->call, &normal, "filter.metadata", &listing->metadata);
}

static bool list_threads_read(struct context *ctx, struct listing *listing)
{
	struct call *call = listing->call;
	const struct datum *request = call->request;
	const struct datum *resource_id = list_threads_filter_field(call,
		MEMORY_THREAD_FILTER__RESOURCE_ID);

	listing->order = (struct memory_order){ .field = "createdAt", .descending = true };
	if (!datum_is_null(resource_id) && resource_id->size)
		listing->resource_id = resource_id;
	return paging_read(ctx, call, datum_field(request, MEMORY_LIST_THREADS__PAGE),
		       datum_field(request, MEMORY_LIST_THREADS__PER_PAGE), DEFAULT_PER_PAGE,
		       &listing->paging) &&
		paging_strict(ctx, call, &listing->paging) &&
		list_threads_read_metadata(ctx, listing) &&
		binding_text_ok(ctx, call, resource_id, "filter.resourceId") &&
		memory_order_read(ctx, call, datum_field(request, MEMORY_LIST_THREADS__ORDER_BY),
			true, &listing->order);
}

/* FROM and WHERE; list_threads_bind_where binds the parameters in the same order. */
static const char *list_threads_where(struct context *ctx, const struct listing *listing)
{
	bool resource = listing->resource_id;

	return arena_printf(ctx->arena, "FROM :\"schema\".mastra_threads%s%s%s",
		resource ? " WHERE \"resourceId\" = $1::text" : "",
		datum_is_null(&listing->metadata) ? ""
			: resource                ? " AND "
						  : " WHERE ",
		datum_is_null(&listing->metadata) ? ""
			: resource                ? "metadata @> $2::jsonb"
						  : "metadata @> $1::jsonb");
}

static void list_threads_bind_where(struct context *ctx, const struct listing *listing)
{
	if (listing->resource_id)
		bind_text(ctx->params, listing->resource_id);
	if (!datum_is_null(&listing->metadata))
		bind_jsonb(ctx->params, &listing->metadata);
}

static void list_threads_counted(struct context *ctx, const struct rows *rows, void *arg)
{
	struct listing *listing = arg;

	(void)ctx;
	listing->total = rows_integer(rows, 0, 0);
}

static void list_threads_listed(struct context *ctx, const struct rows *rows, void *arg)
{
	const struct listing *listing = arg;
	const struct type *type = reply_result_type(listing->call);
	const struct type *threads = type->fields[MEMORY_LIST_THREADS_OUTPUT__THREADS].type;
	struct datum fields[MEMORY_LIST_THREADS_OUTPUT_SIZE] = {
		[MEMORY_LIST_THREADS_OUTPUT__TOTAL] = datum_integer(listing->total),
		[MEMORY_LIST_THREADS_OUTPUT__PAGE] = datum_integer(listing->paging.page),
		[MEMORY_LIST_THREADS_OUTPUT__PER_PAGE] = paging_per_page(&listing->paging),
		[MEMORY_LIST_THREADS_OUTPUT__HAS_MORE] =
			datum_boolean(paging_has_more(&listing->paging, listing->total)),
		[MEMORY_LIST_THREADS_OUTPUT__THREADS] = stored_rows(ctx, rows, threads->item),
	};

	call_reply(ctx, listing->call, datum_record(fields, MEMORY_LIST_THREADS_OUTPUT_SIZE));
}

static const char *list_threads_page_sql(struct context *ctx, const struct listing *listing)
{
	int params = params_count(ctx->params);
	const char *direction = memory_order_direction(&listing->order);

	return arena_printf(ctx->arena,
		"SELECT id, \"resourceId\", title, metadata,"
		" COALESCE(\"createdAtZ\", \"createdAt\" AT TIME ZONE 'UTC') AS \"createdAt\","
		" COALESCE(\"updatedAtZ\", \"updatedAt\" AT TIME ZONE 'UTC') AS \"updatedAt\""
		" %s"
		" ORDER BY COALESCE(\"%sZ\", \"%s\" AT TIME ZONE 'UTC') %s, id %s"
		" LIMIT $%d::int8 OFFSET $%d::int8",
		list_threads_where(ctx, listing), listing->order.field, listing->order.field,
		direction, direction, params + 1, params + 2);
}

void memory_list_threads(struct context *ctx)
{
	struct listing *listing = arena_calloc(ctx->arena, 1, sizeof(*listing));

	listing->call = ctx->calls[0];
	if (!list_threads_read(ctx, listing))
		return;
	list_threads_bind_where(ctx, listing);
	context_send_sql(ctx,
		arena_printf(ctx->arena, "SELECT count(*) %s", list_threads_where(ctx, listing)),
		list_threads_counted, listing);
	list_threads_bind_where(ctx, listing);
	const char *sql = list_threads_page_sql(ctx, listing);
	bind_paging(ctx->params, &listing->paging);
	context_bound(ctx, listing->call);
	context_send_sql(ctx, sql, list_threads_listed, listing);
}
