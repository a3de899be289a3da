/* observational_swap.c - memory.swapBufferedToActive and swapBufferedReflectionToActive: buffered
 * observations or reflections become active */
#include "handlers/domains/memory/observational.h"

#include <math.h>
#include <string.h>

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/datum_json.h"
#include "handlers/core/reply.h"
#include "schemas/base/iso_time.h"

/* ---------------------------------------------------------------- how many chunks */

/* The activation may exceed its target by this fraction of the retention floor. */
#define OVERSHOOT_OF_FLOOR .95
/* At least this many message tokens remain, or the retention floor if that is lower. */
#define MIN_REMAINING 1000.0

/* The buffered chunks, oldest first. */
struct chunks {
	const struct datum *items;
	uint32_t count;
};

static const struct datum *swap_chunk_field(const struct chunks *chunks, uint32_t i, unsigned field)
{
	return datum_field(&chunks->items[i], field);
}

static double swap_message_tokens(const struct chunks *chunks, uint32_t i)
{
	return swap_chunk_field(chunks, i, MEMORY_BUFFERED_OBSERVATION_CHUNK__MESSAGE_TOKENS)->real;
}

/* The first `count` chunks and the tokens of their messages; a count of 0: no cut. */
struct cut {
	uint32_t count;
	double tokens;
};

/* Finds the cuts nearest to the target: at or above it, and below it. */
static void swap_find_cuts(const struct chunks *chunks, double target, struct cut *over,
	struct cut *under)
{
	double tokens = 0;

	*over = *under = (struct cut){ 0 };
	for (uint32_t i = 0; i < chunks->count; i++) {
		tokens += swap_message_tokens(chunks, i);
		if (tokens >= target) {
			if (over->count == 0 || tokens < over->tokens)
				*over = (struct cut){ i + 1, tokens };
		} else if (tokens > under->tokens) {
			*under = (struct cut){ i + 1, tokens };
		}
	}
}

/* How many chunks to activate: enough to bring the message tokens down to the retention floor. Too
 * many are better than too few, unless too few messages would remain. Source: the reference. */
static uint32_t swap_count_chunks(const struct chunks *chunks, const struct datum *request)
{
	double pending =
		datum_field(request, MEMORY_SWAP_BUFFERED_TO_ACTIVE__CURRENT_PENDING_TOKENS)->real;
	double threshold = datum_field(request,
		MEMORY_SWAP_BUFFERED_TO_ACTIVE__MESSAGE_TOKENS_THRESHOLD)
				   ->real;
	double ratio = datum_field(request, MEMORY_SWAP_BUFFERED_TO_ACTIVE__ACTIVATION_RATIO)->real;
	const struct datum *force = datum_field(request,
		MEMORY_SWAP_BUFFERED_TO_ACTIVE__FORCE_MAX_ACTIVATION);
	double retained = threshold * (1 - ratio);
	double target = fmax(0, pending - retained);
	double min_remaining = fmin(MIN_REMAINING, retained);
	struct cut over, under;

	swap_find_cuts(chunks, target, &over, &under);
	bool forced = !datum_is_null(force) && force->boolean;
	bool near = over.tokens - target <= retained * OVERSHOOT_OF_FLOOR;
	if (over.count && (forced || near) && pending - over.tokens >= min_remaining)
		return over.count;
	if (under.count && pending - under.tokens >= min_remaining)
		return under.count;
	return over.count ? over.count : 1;
}

/* ---------------------------------------------------------------- swapBufferedToActive */

/* What the activated chunks add up to. */
struct activation {
	int64_t observation_tokens;
	int64_t message_tokens;
	int64_t messages;
	struct datum observations; /* the chunks' texts, joined */
	int64_t observed_ms;
};

/* A sum of token counts, rounded and limited to 2^53 on both sides: int8 holds it. */
static int64_t swap_whole_tokens(double sum)
{
	return (int64_t)fmin(fmax(om_round(sum), -0x1p53), 0x1p53);
}

static struct datum swap_join_observations(struct arena *arena, const struct chunks *chunks)
{
	struct json_text out = json_text_new(arena);

	for (uint32_t i = 0; i < chunks->count; i++) {
		const struct datum *text = swap_chunk_field(chunks, i,
			MEMORY_BUFFERED_OBSERVATION_CHUNK__OBSERVATIONS);
		json_text_puts(&out, i ? "\n\n" : "");
		json_text_add(&out, text->text, text->size);
	}
	return json_datum(json_text_end(&out));
}

/* When the messages were observed: the request's time, else the last chunk's if the column can hold
 * it, else now. */
static int64_t swap_observed_at(const struct call *call, const struct chunks *activated)
{
	const struct datum *given = datum_field(call->request,
		MEMORY_SWAP_BUFFERED_TO_ACTIVE__LAST_OBSERVED_AT);
	const struct datum *last = swap_chunk_field(activated, activated->count - 1,
		MEMORY_BUFFERED_OBSERVATION_CHUNK__LAST_OBSERVED_AT);

	if (!datum_is_null(given))
		return given->integer;
	return last->integer && binding_time_fits(last->integer) ? last->integer
								 : call_now_ms(call);
}

static struct activation swap_sum_up(struct arena *arena, const struct call *call,
	const struct chunks *activated)
{
	struct activation sum = { 0 };
	double observations = 0, messages = 0;

	for (uint32_t i = 0; i < activated->count; i++) {
		observations += swap_chunk_field(activated, i,
			MEMORY_BUFFERED_OBSERVATION_CHUNK__TOKEN_COUNT)
					->real;
		messages += swap_message_tokens(activated, i);
		sum.messages += swap_chunk_field(activated, i,
			MEMORY_BUFFERED_OBSERVATION_CHUNK__MESSAGE_IDS)
					->size;
	}
	sum.observation_tokens = swap_whole_tokens(observations);
	sum.message_tokens = swap_whole_tokens(messages);
	sum.observations = swap_join_observations(arena, activated);
	sum.observed_ms = swap_observed_at(call, activated);
	return sum;
}

static void swap_send(struct context *ctx, struct call *call, const struct activation *sum,
	uint32_t count)
{
	char observed[ISO_TIME_SIZE];

	iso_time_write(observed, sum->observed_ms);
	const char *boundary = arena_printf(ctx->arena, "\n\n--- message boundary (%s) ---\n\n",
		observed);
	bind_text(ctx->params, &sum->observations);
	params_text(ctx->params, boundary, strlen(boundary));
	params_int8(ctx->params, sum->observation_tokens);
	params_int8(ctx->params, sum->message_tokens);
	params_int4(ctx->params, (int32_t)count);
	params_timestamp_ms(ctx->params, sum->observed_ms);
	params_timestamp_us(ctx->params, call->now_us);
	bind_text(ctx->params, datum_field(call->request, MEMORY_SWAP_BUFFERED_TO_ACTIVE__ID));
	context_send(ctx, SQL_MEMORY_SWAP_BUFFERED_TO_ACTIVE__ACTIVATE, NULL, NULL);
}

/* The cycle ids of the chunks that have one. */
static struct datum swap_cycle_ids(struct arena *arena, const struct chunks *activated)
{
	struct datum *ids = arena_calloc(arena, activated->count + 1, sizeof(*ids));
	uint32_t count = 0;

	for (uint32_t i = 0; i < activated->count; i++) {
		const struct datum *id = swap_chunk_field(activated, i,
			MEMORY_BUFFERED_OBSERVATION_CHUNK__CYCLE_ID);
		if (id->size)
			ids[count++] = *id;
	}
	return datum_array(ids, count);
}

static struct datum swap_message_ids(struct arena *arena, const struct chunks *activated,
	int64_t total)
{
	struct datum *ids = arena_calloc(arena, (size_t)total + 1, sizeof(*ids));
	uint32_t count = 0;

	for (uint32_t i = 0; i < activated->count; i++) {
		const struct datum *given = swap_chunk_field(activated, i,
			MEMORY_BUFFERED_OBSERVATION_CHUNK__MESSAGE_IDS);
		for (uint32_t k = 0; k < given->size; k++)
			ids[count++] = given->items[k];
	}
	return datum_array(ids, count);
}

static struct datum swap_per_chunk(struct arena *arena, const struct chunks *activated)
{
	struct datum *list = arena_calloc(arena, activated->count + 1, sizeof(*list));

	for (uint32_t i = 0; i < activated->count; i++) {
		const struct datum *chunk = activated->items[i].items;
		struct datum *fields = arena_calloc(arena, MEMORY_ACTIVATED_CHUNK_SIZE,
			sizeof(*fields));
		fields[MEMORY_ACTIVATED_CHUNK__CYCLE_ID] =
			chunk[MEMORY_BUFFERED_OBSERVATION_CHUNK__CYCLE_ID];
		fields[MEMORY_ACTIVATED_CHUNK__MESSAGE_TOKENS] =
			chunk[MEMORY_BUFFERED_OBSERVATION_CHUNK__MESSAGE_TOKENS];
		fields[MEMORY_ACTIVATED_CHUNK__OBSERVATION_TOKENS] =
			chunk[MEMORY_BUFFERED_OBSERVATION_CHUNK__TOKEN_COUNT];
		fields[MEMORY_ACTIVATED_CHUNK__MESSAGE_COUNT] =
			datum_integer(chunk[MEMORY_BUFFERED_OBSERVATION_CHUNK__MESSAGE_IDS].size);
		fields[MEMORY_ACTIVATED_CHUNK__OBSERVATIONS] =
			chunk[MEMORY_BUFFERED_OBSERVATION_CHUNK__OBSERVATIONS];
		list[i] = datum_record(fields, MEMORY_ACTIVATED_CHUNK_SIZE);
	}
	return datum_array(list, activated->count);
}

/* The fields that a result has even if no chunk was activated. */
static struct datum *swap_result_fields(struct arena *arena, const struct chunks *activated,
	const struct activation *sum)
{
	struct datum *fields = arena_calloc(arena, MEMORY_SWAP_BUFFERED_TO_ACTIVE_RESULT_SIZE,
		sizeof(*fields));

	fields[MEMORY_SWAP_BUFFERED_TO_ACTIVE_RESULT__CHUNKS_ACTIVATED] =
		datum_integer(activated->count);
	fields[MEMORY_SWAP_BUFFERED_TO_ACTIVE_RESULT__MESSAGE_TOKENS_ACTIVATED] =
		datum_integer(sum->message_tokens);
	fields[MEMORY_SWAP_BUFFERED_TO_ACTIVE_RESULT__OBSERVATION_TOKENS_ACTIVATED] =
		datum_integer(sum->observation_tokens);
	fields[MEMORY_SWAP_BUFFERED_TO_ACTIVE_RESULT__MESSAGES_ACTIVATED] =
		datum_integer(sum->messages);
	fields[MEMORY_SWAP_BUFFERED_TO_ACTIVE_RESULT__ACTIVATED_CYCLE_IDS] = swap_cycle_ids(arena,
		activated);
	fields[MEMORY_SWAP_BUFFERED_TO_ACTIVE_RESULT__ACTIVATED_MESSAGE_IDS] =
		swap_message_ids(arena, activated, sum->messages);
	return fields;
}

static void swap_reply(struct context *ctx, struct call *call, const struct chunks *activated,
	const struct activation *sum)
{
	struct datum *fields = swap_result_fields(ctx->arena, activated, sum);

	if (activated->count) {
		uint32_t last = activated->count - 1;
		fields[MEMORY_SWAP_BUFFERED_TO_ACTIVE_RESULT__OBSERVATIONS] = sum->observations;
		fields[MEMORY_SWAP_BUFFERED_TO_ACTIVE_RESULT__PER_CHUNK] =
			swap_per_chunk(ctx->arena, activated);
		fields[MEMORY_SWAP_BUFFERED_TO_ACTIVE_RESULT__SUGGESTED_CONTINUATION] =
			*swap_chunk_field(activated, last,
				MEMORY_BUFFERED_OBSERVATION_CHUNK__SUGGESTED_CONTINUATION);
		fields[MEMORY_SWAP_BUFFERED_TO_ACTIVE_RESULT__CURRENT_TASK] =
			*swap_chunk_field(activated, last,
				MEMORY_BUFFERED_OBSERVATION_CHUNK__CURRENT_TASK);
	}
	call_reply(ctx, call, datum_record(fields, MEMORY_SWAP_BUFFERED_TO_ACTIVE_RESULT_SIZE));
}

/* The stored chunks. The request's chunks are ignored, as in the reference. */
static struct chunks swap_stored_chunks(struct context *ctx, const struct call *call,
	const struct rows *rows)
{
	const struct type *type =
		call->request_type->fields[MEMORY_SWAP_BUFFERED_TO_ACTIVE__BUFFERED_CHUNKS].type;
	struct json json = { 0 };

	if (!rows_null(rows, 0, 0))
		json.text = rows_text(rows, 0, 0, &json.len);
	struct datum array = datum_from_json(ctx->arena, type, json);
	if (datum_is_null(&array))
		return (struct chunks){ 0 };
	return (struct chunks){ array.items, array.size };
}

static void swap_chunks_locked(struct context *ctx, const struct rows *rows, void *arg)
{
	struct call *call = arg;
	struct activation sum = { 0 };

	if (rows_count(rows) == 0) {
		reply_missing(ctx, call);
		return;
	}
	struct chunks chunks = swap_stored_chunks(ctx, call, rows);
	if (chunks.count) {
		chunks.count = swap_count_chunks(&chunks, call->request);
		sum = swap_sum_up(ctx->arena, call, &chunks);
		swap_send(ctx, call, &sum, chunks.count);
	}
	swap_reply(ctx, call, &chunks, &sum);
}

void memory_swap_buffered_to_active(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *id = datum_field(call->request, MEMORY_SWAP_BUFFERED_TO_ACTIVE__ID);
	const struct datum *observed = datum_field(call->request,
		MEMORY_SWAP_BUFFERED_TO_ACTIVE__LAST_OBSERVED_AT);

	if (!binding_text_ok(ctx, call, id, "id") ||
		!binding_time_ok(ctx, call, observed, "lastObservedAt"))
		return;
	bind_text(ctx->params, id);
	context_send(ctx, SQL_MEMORY_SWAP_BUFFERED_TO_ACTIVE__LOCK, swap_chunks_locked, call);
}

/* ---------------------------------------------------------------- swapBufferedReflectionToActive */

struct reflection_swap {
	struct call *call;
	const struct datum *tokens;
	struct om_row row;
};

static void swap_reflection_done(struct context *ctx, const struct rows *rows, void *arg)
{
	struct reflection_swap *swap = arg;
	struct call *call = swap->call;
	size_t len = 0;

	if (rows_count(rows) == 0) {
		reply_missing(ctx, call);
		return;
	}
	if (rows_null(rows, 0, 0)) {
		call_fail(ctx, call, FAILURE_CONFLICT, "NO_BUFFERED_REFLECTION", NULL,
			"No buffered reflection to swap");
		return;
	}
	const char *observations = rows_text(rows, 0, 0, &len);
	swap->row.column[OM_ACTIVE_OBSERVATIONS] = datum_text(observations, (uint32_t)len);
	call_reply(ctx, call, om_reply(ctx, call, &swap->row, swap->tokens));
}

void memory_swap_buffered_reflection_to_active(struct context *ctx)
{
	static const enum om_column given[] = { OM_ID, OM_SCOPE, OM_RESOURCE_ID, OM_THREAD_ID,
		OM_CONFIG, OM_GENERATION_COUNT, OM_LAST_OBSERVED_AT, OM_TOTAL_TOKENS_OBSERVED,
		OM_OBSERVATION_TOKEN_COUNT, OM_OBSERVED_TIMEZONE, OM_METADATA, OM_CREATED_AT };
	struct call *call = ctx->calls[0];
	const struct datum *current = datum_field(call->request,
		MEMORY_SWAP_BUFFERED_REFLECTION_TO_ACTIVE__CURRENT_RECORD);
	const struct datum *id = datum_field(current, MEMORY_OBSERVATIONAL_MEMORY_RECORD__ID);
	struct reflection_swap *swap = arena_calloc(ctx->arena, 1, sizeof(*swap));

	swap->call = call;
	swap->tokens = datum_field(call->request,
		MEMORY_SWAP_BUFFERED_REFLECTION_TO_ACTIVE__TOKEN_COUNT);
	if (!binding_text_ok(ctx, call, id, "currentRecord.id") ||
		!om_next_generation(ctx, call, current, swap->tokens, &swap->row))
		return;
	bind_text(ctx->params, id);
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		if (!om_bind(ctx, call, &swap->row, given[i])) {
			params_reset(ctx->params);
			return;
		}
	}
	context_send(ctx, SQL_MEMORY_SWAP_BUFFERED_REFLECTION_TO_ACTIVE, swap_reflection_done,
		swap);
}
