/* memory.listThreads */
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
	const struct datum *resource_id; /* NULL: of all resources */
	struct datum metadata;           /* null: any */
	int64_t total;
};

static const struct datum *filter_field(const struct call *call, unsigned index)
{
	static const struct datum none;
	const struct datum *filter = datum_field(call->request, MEMORY_LIST_THREADS__FILTER);

	return datum_is_null(filter) ? &none : datum_field(filter, index);
}

/* Array and text have keys too, in JavaScript, and none that may be used. */
static bool read_metadata(struct turn *turn, struct listing *listing)
{
	const struct datum *given = filter_field(listing->call, MEMORY_THREAD_FILTER__METADATA);
	enum json_kind kind = json_kind(json_of(given));

	if (kind == JSON_ARRAY_KIND || kind == JSON_STRING_KIND) {
		call_fail(turn, listing->call, FAILURE_INVALID, "INVALID_METADATA_KEY", NULL,
			"filter.metadata must be an object");
		return false;
	}
	if (kind != JSON_OBJECT_KIND)
		return true;
	struct datum normal = json_normal(turn->arena, given);
	normal.flags = given->flags;
	if (normal.size == strlen("{}"))
		return true; /* no pair to match: threads without metadata match too */
	return metadata_keys_ok(turn, listing->call, json_of(&normal)) &&
		binding_json(turn, listing->call, &normal, "filter.metadata", &listing->metadata);
}

static bool read_listing(struct turn *turn, struct listing *listing)
{
	struct call *call = listing->call;
	const struct datum *request = call->request;
	const struct datum *resource_id = filter_field(call, MEMORY_THREAD_FILTER__RESOURCE_ID);

	listing->order = (struct memory_order){ .field = "createdAt", .descending = true };
	if (!datum_is_null(resource_id) && resource_id->size)
		listing->resource_id = resource_id;
	return paging_read(turn, call, datum_field(request, MEMORY_LIST_THREADS__PAGE),
		       datum_field(request, MEMORY_LIST_THREADS__PER_PAGE), DEFAULT_PER_PAGE,
		       &listing->paging) &&
		paging_strict(turn, call, &listing->paging) && read_metadata(turn, listing) &&
		binding_text_ok(turn, call, resource_id, "filter.resourceId") &&
		memory_order_read(turn, call, datum_field(request, MEMORY_LIST_THREADS__ORDER_BY),
			true, &listing->order);
}

/* The conditions; their values are bound by bind_where in the same order. */
static const char *where(struct turn *turn, const struct listing *listing)
{
	bool resource = listing->resource_id;

	return arena_printf(turn->arena, "FROM :\"schema\".mastra_threads%s%s%s",
		resource ? " WHERE \"resourceId\" = $1::text" : "",
		datum_is_null(&listing->metadata) ? ""
			: resource                ? " AND "
						  : " WHERE ",
		datum_is_null(&listing->metadata) ? ""
			: resource                ? "metadata @> $2::jsonb"
						  : "metadata @> $1::jsonb");
}

static void bind_where(struct turn *turn, const struct listing *listing)
{
	if (listing->resource_id)
		bind_text(turn->params, listing->resource_id);
	if (!datum_is_null(&listing->metadata))
		bind_jsonb(turn->params, &listing->metadata);
}

static void counted(struct turn *turn, const struct rows *rows, void *arg)
{
	struct listing *listing = arg;

	(void)turn;
	listing->total = rows_integer(rows, 0, 0);
}

static void listed(struct turn *turn, const struct rows *rows, void *arg)
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
		[MEMORY_LIST_THREADS_OUTPUT__THREADS] = stored_rows(turn, rows, threads->item),
	};

	call_reply(turn, listing->call, datum_record(fields, MEMORY_LIST_THREADS_OUTPUT_SIZE));
}

static const char *page_sql(struct turn *turn, const struct listing *listing)
{
	int params = params_count(turn->params);
	const char *direction = memory_order_direction(&listing->order);

	return arena_printf(turn->arena,
		"SELECT id, \"resourceId\", title, metadata,"
		" COALESCE(\"createdAtZ\", \"createdAt\" AT TIME ZONE 'UTC') AS \"createdAt\","
		" COALESCE(\"updatedAtZ\", \"updatedAt\" AT TIME ZONE 'UTC') AS \"updatedAt\""
		" %s"
		" ORDER BY COALESCE(\"%sZ\", \"%s\" AT TIME ZONE 'UTC') %s, id %s"
		" LIMIT $%d::int8 OFFSET $%d::int8",
		where(turn, listing), listing->order.field, listing->order.field, direction,
		direction, params + 1, params + 2);
}

void memory_list_threads(struct turn *turn)
{
	struct listing *listing = arena_calloc(turn->arena, 1, sizeof(*listing));

	listing->call = turn->calls[0];
	if (!read_listing(turn, listing))
		return;
	bind_where(turn, listing);
	turn_send_sql(turn, arena_printf(turn->arena, "SELECT count(*) %s", where(turn, listing)),
		counted, listing);
	bind_where(turn, listing);
	const char *sql = page_sql(turn, listing);
	bind_paging(turn->params, &listing->paging);
	turn_bound(turn, listing->call);
	turn_send_sql(turn, sql, listed, listing);
}
