/* observational.c - rows of observational memory: columns, checks, insert, reply */
#include "handlers/domains/memory/observational.h"

#include <math.h>
#include <string.h>

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/reply.h"
#include "handlers/core/stored_json.h"
#include "schemas/base/uuid.h"
#include "schemas/json/json.h"

/* ---------------------------------------------------------------- token counts */

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
			"%s does not fit a 32-bit integer", name);
		return false;
	}
	*out = (int32_t)rounded;
	return true;
}

static void om_updated(struct context *ctx, const struct rows *rows, void *arg)
{
	struct call *call = arg;

	if (rows_affected(rows) == 0)
		reply_missing(ctx, call);
	else
		call_reply_null(ctx, call);
}

void om_send_update(struct context *ctx, struct call *call, int statement, const struct datum *id)
{
	params_timestamp_us(ctx->params, call->now_us);
	bind_text(ctx->params, id);
	context_send(ctx, statement, om_updated, call);
}

/* ---------------------------------------------------------------- rows */

static const struct {
	const char *name; /* of the column, and of the protocol's field */
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

struct om_row om_new_row(struct context *ctx, const struct call *call)
{
	struct om_row row = { 0 };
	char *id = arena_alloc(ctx->arena, UUID_TEXT_SIZE);

	uuid_v4(id);
	row.column[OM_ID] = datum_string(id);
	row.now_us = call->now_us;
	row.column[OM_ACTIVE_OBSERVATIONS] = datum_string("");
	row.column[OM_ORIGIN_TYPE] = datum_string("initial");
	row.column[OM_CREATED_AT] = datum_integer(call_now_ms(call));
	row.column[OM_UPDATED_AT] = datum_integer(call_now_ms(call));
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

const char *om_column_name(enum om_column column)
{
	return om_columns[column].name;
}

bool om_bind(struct context *ctx, struct call *call, const struct om_row *row,
	enum om_column column)
{
	bool made_now = column == OM_CREATED_AT || column == OM_UPDATED_AT;

	if (made_now && row->now_us) {
		params_timestamp_us(ctx->params, row->now_us);
		return true;
	}
	return bind_typed(ctx, call, &row->column[column], om_columns[column].pg_type,
		om_columns[column].name);
}

bool om_insert(struct context *ctx, struct call *call, const struct om_row *row,
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

/* The column is of type text, so the config is stored as JSON.stringify() prints it. */
bool om_read_config(struct context *ctx, struct call *call, const struct datum *config,
	struct om_row *row)
{
	struct datum repaired;

	if (json_kind(json_of(config)) != JSON_OBJECT_KIND) {
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_CONFIG", NULL,
			"config must be a JSON object");
		return false;
	}
	if (!binding_json(ctx, call, config, "config", &repaired))
		return false;
	row->column[OM_CONFIG] = json_normal(ctx->arena, &repaired);
	return true;
}

bool om_read_metadata(struct context *ctx, struct call *call, const struct datum *metadata,
	const char *path, struct om_row *row)
{
	row->column[OM_METADATA] = json_is_falsy(json_of(metadata)) ? datum_null() : *metadata;
	return stored_json_ok(ctx, call, metadata, path);
}

/* ---------------------------------------------------------------- the next generation */

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

	*row = om_new_row(ctx, call);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		row->column[kept[i].column] = *datum_field(current, kept[i].field);
	row->column[OM_ORIGIN_TYPE] = datum_string("reflection");
	row->column[OM_LAST_REFLECTION_AT] = datum_integer(call_now_ms(call));
	row->column[OM_GENERATION_COUNT] =
		datum_integer(datum_field(current,
				      MEMORY_OBSERVATIONAL_MEMORY_RECORD__GENERATION_COUNT)
				      ->integer +
			1);
	if (!om_tokens(ctx, call, tokens, "tokenCount", &rounded))
		return false;
	row->column[OM_OBSERVATION_TOKEN_COUNT] = datum_integer(rounded);
	return om_read_config(ctx, call,
		       datum_field(current, MEMORY_OBSERVATIONAL_MEMORY_RECORD__CONFIG), row) &&
		om_read_metadata(ctx, call,
			datum_field(current, MEMORY_OBSERVATIONAL_MEMORY_RECORD__METADATA),
			"currentRecord.metadata", row);
}
