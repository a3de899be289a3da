/*
 * resources.c - memory.saveResource and memory.updateResource
 *
 * When the reference creates a row, it stores the metadata as a JSON string that holds what
 * JSON.stringify() prints. When it updates a row, it stores an object. So do these commands.
 */
#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/context.h"
#include "handlers/core/reply.h"
#include "handlers/core/stored_json.h"
#include "schemas/json/json.h"

/* Reads metadata, repaired and in normal form; null stays null. False: the call has failed. */
static bool resources_read_metadata(struct context *ctx, struct call *call,
	const struct datum *given, const char *name, struct datum *out)
{
	struct datum repaired;

	if (!binding_json(ctx, call, given, name, &repaired))
		return false;
	*out = datum_is_null(&repaired) ? repaired : json_normal(ctx->arena, &repaired);
	return true;
}

/* ---------------------------------------------------------------- saveResource */

struct saving {
	struct call *call;
	struct datum metadata;
};

static void resources_saved(struct context *ctx, const struct rows *rows, void *arg)
{
	const struct saving *saving = arg;
	const struct datum *resource = datum_field(saving->call->request,
		MEMORY_SAVE_RESOURCE__RESOURCE);
	const struct datum *id = datum_field(resource, MEMORY_RESOURCE__ID);
	struct datum fields[MEMORY_RESOURCE_SIZE];

	if (rows_affected(rows) == 0) {
		call_fail(ctx, saving->call, FAILURE_CONFLICT, "RESOURCE_EXISTS", NULL,
			"Resource %.*s already exists", (int)id->size, id->text);
		return;
	}
	memcpy(fields, resource->items, sizeof(fields));
	fields[MEMORY_RESOURCE__METADATA] = saving->metadata;
	call_reply(ctx, saving->call, datum_record(fields, MEMORY_RESOURCE_SIZE));
}

void memory_save_resource(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *resource = datum_field(call->request, MEMORY_SAVE_RESOURCE__RESOURCE);
	const struct datum *id = datum_field(resource, MEMORY_RESOURCE__ID);
	const struct datum *memory = datum_field(resource, MEMORY_RESOURCE__WORKING_MEMORY);
	const struct datum *created = datum_field(resource, MEMORY_RESOURCE__CREATED_AT);
	const struct datum *updated = datum_field(resource, MEMORY_RESOURCE__UPDATED_AT);
	struct saving *saving = arena_calloc(ctx->arena, 1, sizeof(*saving));

	saving->call = call;
	if (!binding_text_ok(ctx, call, id, "resource.id") ||
		!binding_text_ok(ctx, call, memory, "resource.workingMemory") ||
		!binding_time_ok(ctx, call, created, "resource.createdAt") ||
		!binding_time_ok(ctx, call, updated, "resource.updatedAt") ||
		!resources_read_metadata(ctx, call,
			datum_field(resource, MEMORY_RESOURCE__METADATA), "resource.metadata",
			&saving->metadata))
		return;
	bind_text(ctx->params, id);
	bind_text(ctx->params, memory);
	bind_text(ctx->params, &saving->metadata);
	bind_time(ctx->params, created);
	bind_time(ctx->params, updated);
	context_send(ctx, SQL_MEMORY_SAVE_RESOURCE, resources_saved, saving);
}

/* ---------------------------------------------------------------- updateResource */

static void resources_updated(struct context *ctx, const struct rows *rows, void *arg)
{
	struct call *call = arg;
	struct datum resource = stored_row(ctx, rows, 0, reply_result_type(call));
	struct datum *metadata = &resource.items[MEMORY_RESOURCE__METADATA];

	if (datum_is_null(metadata))
		*metadata = datum_string("{}");
	call_reply(ctx, call, resource);
}

/* The metadata to merge; NULL if they are no object or array: the reference ignores them then. */
static const struct datum *resources_metadata_to_merge(const struct datum *metadata)
{
	enum json_kind kind = json_kind(json_of(metadata));

	return kind == JSON_OBJECT_KIND || kind == JSON_ARRAY_KIND ? metadata : NULL;
}

void memory_update_resource(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *id = datum_field(call->request, MEMORY_UPDATE_RESOURCE__RESOURCE_ID);
	const struct datum *memory = datum_field(call->request,
		MEMORY_UPDATE_RESOURCE__WORKING_MEMORY);
	struct datum metadata;

	if (!binding_text_ok(ctx, call, id, "resourceId") ||
		!binding_text_ok(ctx, call, memory, "workingMemory") ||
		!resources_read_metadata(ctx, call,
			datum_field(call->request, MEMORY_UPDATE_RESOURCE__METADATA), "metadata",
			&metadata))
		return;
	bind_text(ctx->params, id);
	bind_text(ctx->params, memory);
	bind_text(ctx->params, resources_metadata_to_merge(&metadata));
	params_timestamp_us(ctx->params, call->now_us);
	context_send(ctx, SQL_MEMORY_UPDATE_RESOURCE, resources_updated, call);
}
