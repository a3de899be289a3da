/* observational_create.c - memory.initializeObservationalMemory, insertObservationalMemoryRecord and
 * createReflectionGeneration: commands that insert a record */
#include "handlers/domains/memory/observational.h"

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/datum_json.h"

/* ---------------------------------------------------------------- initializeObservationalMemory */

void memory_initialize_observational_memory(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *request = call->request;
	struct om_row row = om_new_row(ctx, call);

	row.column[OM_SCOPE] = *datum_field(request, MEMORY_INITIALIZE_OBSERVATIONAL_MEMORY__SCOPE);
	row.column[OM_THREAD_ID] = *datum_field(request,
		MEMORY_INITIALIZE_OBSERVATIONAL_MEMORY__THREAD_ID);
	row.column[OM_RESOURCE_ID] = *datum_field(request,
		MEMORY_INITIALIZE_OBSERVATIONAL_MEMORY__RESOURCE_ID);
	row.column[OM_OBSERVED_TIMEZONE] = *datum_field(request,
		MEMORY_INITIALIZE_OBSERVATIONAL_MEMORY__OBSERVED_TIMEZONE);
	if (!om_read_config(ctx, call,
		    datum_field(request, MEMORY_INITIALIZE_OBSERVATIONAL_MEMORY__CONFIG), &row))
		return;
	if (om_insert(ctx, call, &row, NULL))
		call_reply(ctx, call, om_reply(ctx, call, &row, NULL));
}

/* ---------------------------------------------------------------- insertObservationalMemoryRecord */

/* The columns are integers, and the reference does not round here: a fraction is an error. */
static bool observational_read_whole(struct context *ctx, struct call *call,
	const struct datum *number, const char *name, struct datum *out)
{
	int32_t whole = 0;

	if (!om_tokens(ctx, call, number, name, &whole))
		return false;
	if (whole != number->real) {
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_NUMBER", NULL,
			"%s must be a whole number", name);
		return false;
	}
	*out = datum_integer(whole);
	return true;
}

/* Reads the request's field in the form in which its column stores it. */
static bool observational_read_field(struct context *ctx, struct call *call, const char *name,
	struct datum *out)
{
	const struct type *type = NULL;
	const struct datum *value = binding_path(call, name, &type);

	*out = value ? *value : datum_null();
	switch (out->kind) {
	case DATUM_REAL:
		return observational_read_whole(ctx, call, value, name, out);
	case DATUM_ARRAY:
		*out = datum_to_json(ctx->arena, type, value);
		return true;
	default:
		return true;
	}
}

/* Chunks are stored as JSON text, but activating a chunk binds its times as timestamps. Checked
 * here, so that every stored chunk can be activated. */
static bool observational_chunk_times_ok(struct context *ctx, struct call *call)
{
	static const struct {
		unsigned field;
		const char *name;
	} times[] = {
		{ MEMORY_BUFFERED_OBSERVATION_CHUNK__LAST_OBSERVED_AT, "lastObservedAt" },
		{ MEMORY_BUFFERED_OBSERVATION_CHUNK__CREATED_AT, "createdAt" },
	};
	const struct datum *chunks = datum_field(call->request,
		MEMORY_INSERT_OBSERVATIONAL_MEMORY_RECORD__BUFFERED_OBSERVATION_CHUNKS);

	for (uint32_t i = 0; !datum_is_null(chunks) && i < chunks->size; i++) {
		for (size_t t = 0; t < sizeof(times) / sizeof(times[0]); t++) {
			const struct datum *time = datum_field(&chunks->items[i], times[t].field);
			if (!binding_time_fits(time->integer))
				return binding_time_ok(ctx, call, time,
					arena_printf(ctx->arena, "bufferedObservationChunks[%u].%s",
						i, times[t].name));
		}
	}
	return true;
}

static void observational_inserted(struct context *ctx, const struct rows *rows, void *arg)
{
	struct call *call = arg;
	const struct datum *id = datum_field(call->request,
		MEMORY_INSERT_OBSERVATIONAL_MEMORY_RECORD__ID);

	if (rows_affected(rows) == 0)
		call_fail(ctx, call, FAILURE_CONFLICT, "OBSERVATIONAL_MEMORY_EXISTS", NULL,
			"Observational memory record already exists: %.*s", (int)id->size,
			id->text);
	else
		call_reply_null(ctx, call);
}

void memory_insert_observational_memory_record(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	struct om_row row = { 0 };

	if (!observational_chunk_times_ok(ctx, call))
		return;
	for (int i = 0; i < OM_COLUMNS; i++)
		if (i != OM_LAST_REFLECTION_AT &&
			!observational_read_field(ctx, call, om_column_name((enum om_column)i),
				&row.column[i]))
			return;
	if (om_read_config(ctx, call, &row.column[OM_CONFIG], &row) &&
		om_read_metadata(ctx, call, &row.column[OM_METADATA], "metadata", &row))
		om_insert(ctx, call, &row, observational_inserted);
}

/* ---------------------------------------------------------------- createReflectionGeneration */

void memory_create_reflection_generation(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *request = call->request;
	const struct datum *tokens = datum_field(request,
		MEMORY_CREATE_REFLECTION_GENERATION__TOKEN_COUNT);
	struct om_row row;

	if (!om_next_generation(ctx, call,
		    datum_field(request, MEMORY_CREATE_REFLECTION_GENERATION__CURRENT_RECORD),
		    tokens, &row))
		return;
	row.column[OM_ACTIVE_OBSERVATIONS] = *datum_field(request,
		MEMORY_CREATE_REFLECTION_GENERATION__REFLECTION);
	if (om_insert(ctx, call, &row, NULL))
		call_reply(ctx, call, om_reply(ctx, call, &row, tokens));
}
