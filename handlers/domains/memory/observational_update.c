/* observational_update.c - the commands that change fields of one record of observational memory */
#include "handlers/domains/memory/observational.h"

#include <string.h>

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/datum_json.h"
#include "handlers/core/reply.h"
#include "schemas/base/iso_time.h"
#include "schemas/base/uuid.h"

/* ---------------------------------------------------------------- flags and counts */

void memory_set_buffering_observation_flag(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *request = call->request;
	const struct datum *id = datum_field(request, MEMORY_SET_BUFFERING_OBSERVATION_FLAG__ID);
	const struct datum *tokens = datum_field(request,
		MEMORY_SET_BUFFERING_OBSERVATION_FLAG__LAST_BUFFERED_AT_TOKENS);
	int32_t rounded = 0;

	if (!binding_text_ok(ctx, call, id, "id"))
		return;
	if (!datum_is_null(tokens) &&
		!om_tokens(ctx, call, tokens, "lastBufferedAtTokens", &rounded))
		return;
	params_bool(ctx->params,
		datum_field(request, MEMORY_SET_BUFFERING_OBSERVATION_FLAG__IS_BUFFERING)->boolean);
	if (datum_is_null(tokens))
		params_null(ctx->params);
	else
		params_int4(ctx->params, rounded);
	om_send_update(ctx, call, SQL_MEMORY_SET_BUFFERING_OBSERVATION_FLAG, id);
}

void memory_set_pending_message_tokens(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *id = datum_field(call->request, MEMORY_SET_PENDING_MESSAGE_TOKENS__ID);
	int32_t tokens = 0;

	if (!binding_text_ok(ctx, call, id, "id") ||
		!om_tokens(ctx, call,
			datum_field(call->request, MEMORY_SET_PENDING_MESSAGE_TOKENS__TOKEN_COUNT),
			"tokenCount", &tokens))
		return;
	params_int4(ctx->params, tokens);
	om_send_update(ctx, call, SQL_MEMORY_SET_PENDING_MESSAGE_TOKENS, id);
}

/* ---------------------------------------------------------------- updateActiveObservations */

/* Reads the field, an array of strings, as jsonb. Null stays null. False: the call has failed. */
static bool observational_update_read_texts(struct context *ctx, struct call *call, unsigned field,
	struct datum *out)
{
	const struct datum *texts = datum_field(call->request, field);
	const struct type_field *declared = &call->request_type->fields[field];

	*out = datum_null();
	if (datum_is_null(texts))
		return true;
	struct datum json = datum_to_json(ctx->arena, declared->type, texts);
	return binding_json(ctx, call, &json, declared->name, out);
}

void memory_update_active_observations(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *request = call->request;
	const struct datum *id = datum_field(request, MEMORY_UPDATE_ACTIVE_OBSERVATIONS__ID);
	const struct datum *text = datum_field(request,
		MEMORY_UPDATE_ACTIVE_OBSERVATIONS__OBSERVATIONS);
	const struct datum *observed = datum_field(request,
		MEMORY_UPDATE_ACTIVE_OBSERVATIONS__LAST_OBSERVED_AT);
	struct datum ids;
	int32_t tokens = 0;

	if (!binding_text_ok(ctx, call, id, "id") ||
		!binding_text_ok(ctx, call, text, "observations") ||
		!binding_time_ok(ctx, call, observed, "lastObservedAt") ||
		!om_tokens(ctx, call,
			datum_field(request, MEMORY_UPDATE_ACTIVE_OBSERVATIONS__TOKEN_COUNT),
			"tokenCount", &tokens) ||
		!observational_update_read_texts(ctx, call,
			MEMORY_UPDATE_ACTIVE_OBSERVATIONS__OBSERVED_MESSAGE_IDS, &ids))
		return;
	bind_text(ctx->params, text);
	bind_time(ctx->params, observed);
	params_int4(ctx->params, tokens);
	bind_jsonb(ctx->params, &ids);
	om_send_update(ctx, call, SQL_MEMORY_UPDATE_ACTIVE_OBSERVATIONS, id);
}

/* ---------------------------------------------------------------- updateBufferedObservations */

/* A JSON array of one chunk: the given chunk with rounded token counts, a new id and the time. */
static struct datum observational_update_chunk(struct context *ctx, const struct call *call)
{
	const unsigned field = MEMORY_UPDATE_BUFFERED_OBSERVATIONS__CHUNK;
	const struct type *type = call->request_type->fields[field].type;
	const struct datum *given = datum_field(call->request, field);
	struct datum *fields = arena_alloc(ctx->arena, type->field_count * sizeof(*fields));
	char id[UUID_TEXT_SIZE], created[ISO_TIME_SIZE];

	memcpy(fields, given->items, type->field_count * sizeof(*fields));
	struct datum *tokens = &fields[MEMORY_BUFFERED_OBSERVATION_CHUNK_INPUT__TOKEN_COUNT];
	tokens->real = om_round(tokens->real);
	tokens = &fields[MEMORY_BUFFERED_OBSERVATION_CHUNK_INPUT__MESSAGE_TOKENS];
	tokens->real = om_round(tokens->real);
	struct datum rounded = datum_record(fields, given->size);
	struct datum json = datum_to_json(ctx->arena, type, &rounded);
	uuid_v4(id);
	iso_time_write(created, call_now_ms(call));

	/* Skip the object's opening brace: its members follow the two written here. */
	struct json_text out = json_text_new(ctx->arena);
	json_text_puts(&out,
		arena_printf(ctx->arena, "[{\"id\":\"ombuf-%s\",\"createdAt\":\"%s\",", id,
			created));
	json_text_add(&out, json.text + 1, json.size - 1);
	json_text_puts(&out, "]");
	struct datum chunks = json_datum(json_text_end(&out));
	chunks.flags = json.flags;
	return chunks;
}

void memory_update_buffered_observations(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *request = call->request;
	const struct datum *id = datum_field(request, MEMORY_UPDATE_BUFFERED_OBSERVATIONS__ID);
	const struct datum *buffered = datum_field(request,
		MEMORY_UPDATE_BUFFERED_OBSERVATIONS__LAST_BUFFERED_AT_TIME);
	const struct datum *chunk = datum_field(request,
		MEMORY_UPDATE_BUFFERED_OBSERVATIONS__CHUNK);
	const struct datum *cycle = datum_field(chunk,
		MEMORY_BUFFERED_OBSERVATION_CHUNK_INPUT__CYCLE_ID);
	const struct datum *observed = datum_field(chunk,
		MEMORY_BUFFERED_OBSERVATION_CHUNK_INPUT__LAST_OBSERVED_AT);
	struct datum chunks;

	if (!binding_text_ok(ctx, call, id, "id") ||
		!binding_text_ok(ctx, call, cycle, "chunk.cycleId") ||
		!binding_time_ok(ctx, call, observed, "chunk.lastObservedAt") ||
		!binding_time_ok(ctx, call, buffered, "lastBufferedAtTime"))
		return;
	struct datum given = observational_update_chunk(ctx, call);
	if (!binding_json(ctx, call, &given, "chunk", &chunks))
		return;
	bind_jsonb(ctx->params, &chunks);
	bind_text(ctx->params, cycle);
	bind_time(ctx->params, buffered);
	om_send_update(ctx, call, SQL_MEMORY_UPDATE_BUFFERED_OBSERVATIONS, id);
}

/* ---------------------------------------------------------------- updateBufferedReflection */

void memory_update_buffered_reflection(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *request = call->request;
	const struct datum *id = datum_field(request, MEMORY_UPDATE_BUFFERED_REFLECTION__ID);
	const struct datum *text = datum_field(request,
		MEMORY_UPDATE_BUFFERED_REFLECTION__REFLECTION);
	int32_t tokens = 0, input = 0;

	if (!binding_text_ok(ctx, call, id, "id") ||
		!binding_text_ok(ctx, call, text, "reflection") ||
		!om_tokens(ctx, call,
			datum_field(request, MEMORY_UPDATE_BUFFERED_REFLECTION__TOKEN_COUNT),
			"tokenCount", &tokens) ||
		!om_tokens(ctx, call,
			datum_field(request, MEMORY_UPDATE_BUFFERED_REFLECTION__INPUT_TOKEN_COUNT),
			"inputTokenCount", &input))
		return;
	bind_text(ctx->params, text);
	params_int4(ctx->params, tokens);
	params_int4(ctx->params, input);
	params_int4(ctx->params,
		(int32_t)datum_field(request,
			MEMORY_UPDATE_BUFFERED_REFLECTION__REFLECTED_OBSERVATION_LINE_COUNT)
			->integer);
	om_send_update(ctx, call, SQL_MEMORY_UPDATE_BUFFERED_REFLECTION, id);
}
