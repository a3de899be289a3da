/* Observational memory: reading records, and making them. */
#include "handlers/domains/memory/observational.h"

#include <math.h>
#include <string.h>

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/datum_json.h"
#include "handlers/core/reply.h"
#include "handlers/core/stored_json.h"
#include "schemas/base/uuid.h"

/* ---------------------------------------------------------------- shared */

double om_round(double value)
{
	double below = floor(value);
	return below + (value - below >= 0.5);
}

bool om_tokens(struct context *ctx, struct call *call, const struct datum *tokens, const char *name,
	int32_t *out)
{
	double rounded = om_round(tokens->real);

	if (!(rounded >= INT32_MIN && rounded <= INT32_MAX)) {
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_NUMBER", NULL,
			"%s does not fit an integer of 32 bits", name);
		return false;
	}
	*out = (int32_t)rounded;
	return true;
}

void om_updated(struct context *ctx, const struct rows *rows, void *arg)
{
	struct call *call = arg;

	if (rows_affected(rows) == 0)
		reply_missing(ctx, call);
	else
		call_reply_null(ctx, call);
}

/* ---------------------------------------------------------------- rows */

/* The column's name is also the field's. */
static const struct {
	const char *name;
	const char *pg_type;
} om_columns[OM_COLUMNS] = {
	[OM_ID] = { "id", "text" },
	[OM_SCOPE] = { "scope", "text" },
	[OM_RESOURCE_ID] = { "resourceId", "text" },
	[OM_THREAD_ID] = { "threadId", "text" },
	[OM_ACTIVE_OBSERVATIONS] = { "activeObservations", "text" },
	[OM_ORIGIN_TYPE] = { "originType", "text" },
	[OM_CONFIG] = { "config", "text" },
	[OM_GENERATION_COUNT] = { "generationCount", "int4" },
	[OM_LAST_OBSERVED_AT] = { "lastObservedAt", "timestamptz" },
	[OM_LAST_REFLECTION_AT] = { "lastReflectionAt", "timestamptz" },
	[OM_PENDING_MESSAGE_TOKENS] = { "pendingMessageTokens", "int4" },
	[OM_TOTAL_TOKENS_OBSERVED] = { "totalTokensObserved", "int4" },
	[OM_OBSERVATION_TOKEN_COUNT] = { "observationTokenCount", "int4" },
	[OM_OBSERVED_MESSAGE_IDS] = { "observedMessageIds", "jsonb" },
	[OM_BUFFERED_OBSERVATION_CHUNKS] = { "bufferedObservationChunks", "jsonb" },
	[OM_BUFFERED_REFLECTION] = { "bufferedReflection", "text" },
	[OM_BUFFERED_REFLECTION_TOKENS] = { "bufferedReflectionTokens", "int4" },
	[OM_BUFFERED_REFLECTION_INPUT_TOKENS] = { "bufferedReflectionInputTokens", "int4" },
	[OM_REFLECTED_OBSERVATION_LINE_COUNT] = { "reflectedObservationLineCount", "int4" },
	[OM_IS_OBSERVING] = { "isObserving", "bool" },
	[OM_IS_REFLECTING] = { "isReflecting", "bool" },
	[OM_IS_BUFFERING_OBSERVATION] = { "isBufferingObservation", "bool" },
	[OM_IS_BUFFERING_REFLECTION] = { "isBufferingReflection", "bool" },
	[OM_LAST_BUFFERED_AT_TOKENS] = { "lastBufferedAtTokens", "int4" },
	[OM_LAST_BUFFERED_AT_TIME] = { "lastBufferedAtTime", "timestamptz" },
	[OM_OBSERVED_TIMEZONE] = { "observedTimezone", "text" },
	[OM_METADATA] = { "metadata", "jsonb" },
	[OM_CREATED_AT] = { "createdAt", "timestamptz" },
	[OM_UPDATED_AT] = { "updatedAt", "timestamptz" },
};

/* A record of the first generation in which nothing has happened yet. */
static struct om_row fresh_row(struct context *ctx, const struct call *call)
{
	struct om_row row = { 0 };
	char *id = arena_alloc(ctx->arena, UUID_TEXT_SIZE);

	uuid_v4(id);
	row.column[OM_ID] = datum_string(id);
	row.column[OM_ACTIVE_OBSERVATIONS] = datum_string("");
	row.column[OM_ORIGIN_TYPE] = datum_string("initial");
	row.column[OM_CREATED_AT] = datum_integer(call->now_ms);
	row.column[OM_UPDATED_AT] = datum_integer(call->now_ms);
	static const enum om_column zeros[] = { OM_GENERATION_COUNT, OM_PENDING_MESSAGE_TOKENS,
		OM_TOTAL_TOKENS_OBSERVED, OM_OBSERVATION_TOKEN_COUNT, OM_LAST_BUFFERED_AT_TOKENS };
	for (size_t i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++)
		row.column[zeros[i]] = datum_integer(0);
	static const enum om_column flags[] = { OM_IS_OBSERVING, OM_IS_REFLECTING,
		OM_IS_BUFFERING_OBSERVATION, OM_IS_BUFFERING_REFLECTION };
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		row.column[flags[i]] = datum_boolean(false);
	return row;
}

bool om_bind(struct context *ctx, struct call *call, const struct om_row *row,
	enum om_column column)
{
	return bind_typed(ctx, call, &row->column[column], om_columns[column].pg_type,
		om_columns[column].name);
}

static bool insert_row(struct context *ctx, struct call *call, const struct om_row *row,
	context_result_fn *done)
{
	for (int i = 0; i < OM_COLUMNS; i++) {
		if (!om_bind(ctx, call, row, (enum om_column)i)) {
			params_reset(ctx->params);
			return false;
		}
	}
	context_send(ctx, SQL_MEMORY_INSERT_OBSERVATIONAL_MEMORY_RECORD, done, call);
	return true;
}

struct datum om_reply(struct context *ctx, const struct call *call, const struct om_row *row,
	const struct datum *tokens)
{
	const struct type *type = reply_result_type(call);
	struct datum *fields = arena_calloc(ctx->arena, type->field_count, sizeof(*fields));

	for (int i = 0; i < OM_COLUMNS; i++) {
		const char *name = om_columns[i].name;
		int field = type_field_index(type, name, strlen(name));
		if (field < 0)
			continue;
		fields[field] = row->column[i];
		if (type->fields[field].type->kind == TYPE_DOUBLE &&
			fields[field].kind == DATUM_INTEGER)
			fields[field] = datum_real((double)row->column[i].integer);
	}
	if (tokens)
		fields[MEMORY_OBSERVATIONAL_MEMORY_RECORD__OBSERVATION_TOKEN_COUNT] = *tokens;
	return datum_record(fields, (uint32_t)type->field_count);
}

/* ---------------------------------------------------------------- checks */

static bool scope_ok(struct context *ctx, struct call *call, const struct datum *scope)
{
	const struct datum thread = datum_string("thread"), resource = datum_string("resource");

	if (datum_equals(scope, &thread) || datum_equals(scope, &resource))
		return true;
	call_fail(ctx, call, FAILURE_INVALID, "INVALID_SCOPE", NULL,
		"scope is none of thread, resource");
	return false;
}

static bool origin_ok(struct context *ctx, struct call *call, const struct datum *origin)
{
	const struct datum initial = datum_string("initial"),
			   reflection = datum_string("reflection");

	if (datum_equals(origin, &initial) || datum_equals(origin, &reflection))
		return true;
	call_fail(ctx, call, FAILURE_INVALID, "INVALID_ORIGIN_TYPE", NULL,
		"originType is none of initial, reflection");
	return false;
}

/* The configuration is a column of text: its JSON is stored as the reference prints it. */
static bool take_config(struct context *ctx, struct call *call, const struct datum *config,
	struct om_row *row)
{
	struct datum repaired;

	if (json_kind(json_of(config)) != JSON_OBJECT_KIND) {
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_CONFIG", NULL,
			"config is no JSON object");
		return false;
	}
	if (!binding_json(ctx, call, config, "config", &repaired))
		return false;
	row->column[OM_CONFIG] = json_normal(ctx->arena, &repaired);
	return true;
}

static bool observational_take_metadata(struct context *ctx, struct call *call,
	const struct datum *metadata, const char *path, struct om_row *row)
{
	row->column[OM_METADATA] = stored_json_is_none(metadata) ? datum_null() : *metadata;
	return stored_json_ok(ctx, call, metadata, path);
}

/* ---------------------------------------------------------------- getObservationalMemory */

static struct datum observational_read_record(struct context *ctx, const struct rows *rows, int row,
	const struct type *type)
{
	struct datum record = stored_row(ctx, rows, row, type);
	int column = rows_column(rows, "chunks");
	const unsigned field = MEMORY_OBSERVATIONAL_MEMORY_RECORD__BUFFERED_OBSERVATION_CHUNKS;
	struct json chunks;

	if (!rows_null(rows, row, column)) {
		chunks.text = rows_text(rows, row, column, &chunks.len);
		record.items[field] = datum_from_json(ctx->arena, type->fields[field].type, chunks);
	}
	return record;
}

static void got_record(struct context *ctx, const struct rows *rows, void *arg)
{
	struct call *call = arg;

	if (rows_count(rows))
		call_reply(ctx, call,
			observational_read_record(ctx, rows, 0, reply_result_type(call)));
	else
		call_reply_null(ctx, call);
}

void memory_get_observational_memory(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *thread = datum_field(call->request,
		MEMORY_GET_OBSERVATIONAL_MEMORY__THREAD_ID);
	const struct datum *resource = datum_field(call->request,
		MEMORY_GET_OBSERVATIONAL_MEMORY__RESOURCE_ID);

	if (!binding_text_ok(ctx, call, thread, "threadId") ||
		!binding_text_ok(ctx, call, resource, "resourceId"))
		return;
	bind_text(ctx->params, thread);
	bind_text(ctx->params, resource);
	context_send(ctx, SQL_MEMORY_GET_OBSERVATIONAL_MEMORY, got_record, call);
}

/* ---------------------------------------------------------------- getObservationalMemoryHistory */

static void got_history(struct context *ctx, const struct rows *rows, void *arg)
{
	struct call *call = arg;
	const struct type *type = reply_result_type(call)->item;
	int count = rows_count(rows);
	struct datum *records = arena_calloc(ctx->arena, (size_t)count + 1, sizeof(*records));

	for (int i = 0; i < count; i++)
		records[i] = observational_read_record(ctx, rows, i, type);
	call_reply(ctx, call, datum_array(records, (uint32_t)count));
}

static bool not_negative(struct context *ctx, struct call *call, const struct datum *number,
	const char *name)
{
	if (!number || datum_is_null(number) || number->integer >= 0)
		return true;
	call_fail(ctx, call, FAILURE_INVALID, "INVALID_NUMBER", NULL, "%s must be >= 0", name);
	return false;
}

void memory_get_observational_memory_history(struct context *ctx)
{
	static const struct {
		const char *path;
		const char *pg_type;
	} given[] = {
		{ "threadId", "text" },
		{ "resourceId", "text" },
		{ "options.from", "timestamptz" },
		{ "options.to", "timestamptz" },
		{ "limit", "int4" },
		{ "options.offset", "int4" },
	};
	struct call *call = ctx->calls[0];

	if (!not_negative(ctx, call, binding_path(call, "limit", NULL), "limit") ||
		!not_negative(ctx, call, binding_path(call, "options.offset", NULL),
			"options.offset"))
		return;
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		const struct datum *value = binding_path(call, given[i].path, NULL);
		if (!bind_typed(ctx, call, value, given[i].pg_type, given[i].path)) {
			params_reset(ctx->params);
			return;
		}
	}
	context_bound(ctx, call);
	context_send(ctx, SQL_MEMORY_GET_OBSERVATIONAL_MEMORY_HISTORY, got_history, call);
}

/* ---------------------------------------------------------------- initializeObservationalMemory */

void memory_initialize_observational_memory(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *request = call->request;
	struct om_row row = fresh_row(ctx, call);

	row.column[OM_SCOPE] = *datum_field(request, MEMORY_INITIALIZE_OBSERVATIONAL_MEMORY__SCOPE);
	row.column[OM_THREAD_ID] = *datum_field(request,
		MEMORY_INITIALIZE_OBSERVATIONAL_MEMORY__THREAD_ID);
	row.column[OM_RESOURCE_ID] = *datum_field(request,
		MEMORY_INITIALIZE_OBSERVATIONAL_MEMORY__RESOURCE_ID);
	row.column[OM_OBSERVED_TIMEZONE] = *datum_field(request,
		MEMORY_INITIALIZE_OBSERVATIONAL_MEMORY__OBSERVED_TIMEZONE);
	if (!scope_ok(ctx, call, &row.column[OM_SCOPE]) ||
		!take_config(ctx, call,
			datum_field(request, MEMORY_INITIALIZE_OBSERVATIONAL_MEMORY__CONFIG), &row))
		return;
	if (insert_row(ctx, call, &row, NULL))
		call_reply(ctx, call, om_reply(ctx, call, &row, NULL));
}

/* ---------------------------------------------------------------- insertObservationalMemoryRecord */

/* A number with a fraction has no column here that takes it, and is not rounded either. */
static bool take_whole(struct context *ctx, struct call *call, const struct datum *number,
	const char *name, struct datum *out)
{
	int32_t whole = 0;

	if (!om_tokens(ctx, call, number, name, &whole))
		return false;
	if (whole != number->real) {
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_NUMBER", NULL,
			"%s is no whole number", name);
		return false;
	}
	*out = datum_integer(whole);
	return true;
}

/* The request's field as its column takes it. */
static bool take_field(struct context *ctx, struct call *call, const char *name, struct datum *out)
{
	const struct type *type = NULL;
	const struct datum *value = binding_path(call, name, &type);

	*out = value ? *value : datum_null();
	switch (out->kind) {
	case DATUM_REAL:
		return take_whole(ctx, call, value, name, out);
	case DATUM_ARRAY:
		*out = datum_to_json(ctx->arena, type, value);
		return true;
	default:
		return true;
	}
}

/* Chunks are stored as JSON; their times are bound when they become active. */
static bool chunk_times_ok(struct context *ctx, struct call *call)
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
			"Observational memory record exists already: %.*s", (int)id->size,
			id->text);
	else
		call_reply_null(ctx, call);
}

void memory_insert_observational_memory_record(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	struct om_row row = { 0 };

	if (!chunk_times_ok(ctx, call))
		return;
	for (int i = 0; i < OM_COLUMNS; i++)
		if (i != OM_LAST_REFLECTION_AT &&
			!take_field(ctx, call, om_columns[i].name, &row.column[i]))
			return;
	if (!scope_ok(ctx, call, &row.column[OM_SCOPE]) ||
		!origin_ok(ctx, call, &row.column[OM_ORIGIN_TYPE]))
		return;
	if (take_config(ctx, call, &row.column[OM_CONFIG], &row) &&
		observational_take_metadata(ctx, call, &row.column[OM_METADATA], "metadata", &row))
		insert_row(ctx, call, &row, observational_inserted);
}

/* ---------------------------------------------------------------- createReflectionGeneration */

bool om_next_generation(struct context *ctx, struct call *call, const struct datum *current,
	const struct datum *tokens, struct om_row *row)
{
	static const struct {
		enum om_column column;
		unsigned field;
	} kept[] = {
		{ OM_SCOPE, MEMORY_OBSERVATIONAL_MEMORY_RECORD__SCOPE },
		{ OM_THREAD_ID, MEMORY_OBSERVATIONAL_MEMORY_RECORD__THREAD_ID },
		{ OM_RESOURCE_ID, MEMORY_OBSERVATIONAL_MEMORY_RECORD__RESOURCE_ID },
		{ OM_LAST_OBSERVED_AT, MEMORY_OBSERVATIONAL_MEMORY_RECORD__LAST_OBSERVED_AT },
		{ OM_TOTAL_TOKENS_OBSERVED,
			MEMORY_OBSERVATIONAL_MEMORY_RECORD__TOTAL_TOKENS_OBSERVED },
		{ OM_OBSERVED_TIMEZONE, MEMORY_OBSERVATIONAL_MEMORY_RECORD__OBSERVED_TIMEZONE },
	};
	int32_t rounded = 0;

	*row = fresh_row(ctx, call);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		row->column[kept[i].column] = *datum_field(current, kept[i].field);
	row->column[OM_ORIGIN_TYPE] = datum_string("reflection");
	row->column[OM_LAST_REFLECTION_AT] = datum_integer(call->now_ms);
	row->column[OM_GENERATION_COUNT] =
		datum_integer(datum_field(current,
				      MEMORY_OBSERVATIONAL_MEMORY_RECORD__GENERATION_COUNT)
				      ->integer +
			1);
	if (!om_tokens(ctx, call, tokens, "tokenCount", &rounded) ||
		!scope_ok(ctx, call, &row->column[OM_SCOPE]))
		return false;
	row->column[OM_OBSERVATION_TOKEN_COUNT] = datum_integer(rounded);
	return take_config(ctx, call,
		       datum_field(current, MEMORY_OBSERVATIONAL_MEMORY_RECORD__CONFIG), row) &&
		observational_take_metadata(ctx, call,
			datum_field(current, MEMORY_OBSERVATIONAL_MEMORY_RECORD__METADATA),
			"currentRecord.metadata", row);
}

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
	if (insert_row(ctx, call, &row, NULL))
		call_reply(ctx, call, om_reply(ctx, call, &row, tokens));
}
