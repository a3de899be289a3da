/*
 * memory: resources, whose metadata the reference stores as a JSON string that holds JSON when
 * it makes a row, and as an object when it updates one. The string's text is JSON.stringify's.
 */
#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/context.h"
#include "handlers/core/reply.h"
#include "handlers/core/stored_json.h"
#include "schemas/json/json.h"

/* The metadata repaired and in normal form; null if there is none. */
static bool read_metadata(struct turn *turn, struct call *call, const struct datum *given,
	const char *name, struct datum *out)
{
	struct datum repaired;

	if (!binding_json(turn, call, given, name, &repaired))
		return false;
	*out = datum_is_null(&repaired) ? repaired : json_normal(turn->arena, &repaired);
	return true;
}

/* ---------------------------------------------------------------- saveResource */

struct saving {
	struct call *call;
	struct datum metadata;
};

static void saved(struct turn *turn, const struct rows *rows, void *arg)
{
	const struct saving *saving = arg;
	const struct datum *resource = datum_field(saving->call->request,
		MEMORY_SAVE_RESOURCE__RESOURCE);
	const struct datum *id = datum_field(resource, MEMORY_RESOURCE__ID);
	struct datum fields[MEMORY_RESOURCE_SIZE];

	if (rows_affected(rows) == 0) {
		call_fail(turn, saving->call, FAILURE_CONFLICT, "RESOURCE_EXISTS", NULL,
			"Resource %.*s already exists", (int)id->size, id->text);
		return;
	}
	memcpy(fields, resource->items, sizeof(fields));
	fields[MEMORY_RESOURCE__METADATA] = saving->metadata;
	call_reply(turn, saving->call, datum_record(fields, MEMORY_RESOURCE_SIZE));
}

void memory_save_resource(struct turn *turn)
{
	struct call *call = turn->calls[0];
	const struct datum *resource = datum_field(call->request, MEMORY_SAVE_RESOURCE__RESOURCE);
	const struct datum *id = datum_field(resource, MEMORY_RESOURCE__ID);
	const struct datum *memory = datum_field(resource, MEMORY_RESOURCE__WORKING_MEMORY);
	const struct datum *created = datum_field(resource, MEMORY_RESOURCE__CREATED_AT);
	const struct datum *updated = datum_field(resource, MEMORY_RESOURCE__UPDATED_AT);
	struct saving *saving = arena_calloc(turn->arena, 1, sizeof(*saving));

	saving->call = call;
	if (!binding_text_ok(turn, call, id, "resource.id") ||
		!binding_text_ok(turn, call, memory, "resource.workingMemory") ||
		!binding_time_ok(turn, call, created, "resource.createdAt") ||
		!binding_time_ok(turn, call, updated, "resource.updatedAt") ||
		!read_metadata(turn, call, datum_field(resource, MEMORY_RESOURCE__METADATA),
			"resource.metadata", &saving->metadata))
		return;
	bind_text(turn->params, id);
	bind_text(turn->params, memory);
	bind_text(turn->params, &saving->metadata);
	bind_time(turn->params, created);
	bind_time(turn->params, updated);
	turn_send(turn, SQL_MEMORY_SAVE_RESOURCE, saved, saving);
}

/* ---------------------------------------------------------------- updateResource */

static void updated(struct turn *turn, const struct rows *rows, void *arg)
{
	struct call *call = arg;
	struct datum resource = stored_row(turn, rows, 0, reply_result_type(call));
	struct datum *metadata = &resource.items[MEMORY_RESOURCE__METADATA];

	if (datum_is_null(metadata))
		*metadata = datum_string("{}");
	call_reply(turn, call, resource);
}

/* What JavaScript takes for no metadata merges nothing, and is not there to be stored. */
static const struct datum *metadata_to_merge(const struct datum *metadata)
{
	enum json_kind kind = json_kind(json_of(metadata));

	return kind == JSON_OBJECT_KIND || kind == JSON_ARRAY_KIND ? metadata : NULL;
}

void memory_update_resource(struct turn *turn)
{
	struct call *call = turn->calls[0];
	const struct datum *id = datum_field(call->request, MEMORY_UPDATE_RESOURCE__RESOURCE_ID);
	const struct datum *memory = datum_field(call->request,
		MEMORY_UPDATE_RESOURCE__WORKING_MEMORY);
	struct datum metadata;

	if (!binding_text_ok(turn, call, id, "resourceId") ||
		!binding_text_ok(turn, call, memory, "workingMemory") ||
		!read_metadata(turn, call,
			datum_field(call->request, MEMORY_UPDATE_RESOURCE__METADATA), "metadata",
			&metadata))
		return;
	bind_text(turn->params, id);
	bind_text(turn->params, memory);
	bind_text(turn->params, metadata_to_merge(&metadata));
	params_timestamp_ms(turn->params, call->now_ms);
	turn_send(turn, SQL_MEMORY_UPDATE_RESOURCE, updated, call);
}
