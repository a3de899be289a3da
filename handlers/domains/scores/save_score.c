/*
 * save_score.c - scores.saveScore: stores the result of a scorer
 *
 * The reference stores most JSON columns of a score as JSON text inside of a JSON string. Stowage
 * does the same, so that SQL conditions of either program find the rows of both.
 */
#include <math.h>

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/choice.h"
#include "handlers/core/keys.h"
#include "handlers/core/reply.h"
#include "schemas/base/uuid.h"
#include "schemas/json/json.h"

/* ---------------------------------------------------------------- one score */

enum score_kind {
	SCORE_TEXT,
	SCORE_NUMBER,
	SCORE_JSON,   /* an object, stored as it is */
	SCORE_OBJECT, /* an object, stored inside of a JSON string */
	SCORE_ANY,    /* any JSON, stored inside of a JSON string */
};

/* The columns after the id, in the order of the statement's parameters. */
static const struct score_column {
	unsigned field;
	enum score_kind kind;
} columns[] = {
	{ SCORES_SAVE_SCORE__SCORER_ID, SCORE_TEXT },
	{ SCORES_SAVE_SCORE__TRACE_ID, SCORE_TEXT },
	{ SCORES_SAVE_SCORE__SPAN_ID, SCORE_TEXT },
	{ SCORES_SAVE_SCORE__RUN_ID, SCORE_TEXT },
	{ SCORES_SAVE_SCORE__SCORER, SCORE_OBJECT },
	{ SCORES_SAVE_SCORE__PREPROCESS_STEP_RESULT, SCORE_OBJECT },
	{ SCORES_SAVE_SCORE__EXTRACT_STEP_RESULT, SCORE_JSON },
	{ SCORES_SAVE_SCORE__ANALYZE_STEP_RESULT, SCORE_OBJECT },
	{ SCORES_SAVE_SCORE__SCORE, SCORE_NUMBER },
	{ SCORES_SAVE_SCORE__REASON, SCORE_TEXT },
	{ SCORES_SAVE_SCORE__METADATA, SCORE_OBJECT },
	{ SCORES_SAVE_SCORE__PREPROCESS_PROMPT, SCORE_TEXT },
	{ SCORES_SAVE_SCORE__EXTRACT_PROMPT, SCORE_TEXT },
	{ SCORES_SAVE_SCORE__GENERATE_SCORE_PROMPT, SCORE_TEXT },
	{ SCORES_SAVE_SCORE__GENERATE_REASON_PROMPT, SCORE_TEXT },
	{ SCORES_SAVE_SCORE__ANALYZE_PROMPT, SCORE_TEXT },
	{ SCORES_SAVE_SCORE__REASON_PROMPT, SCORE_TEXT },
	{ SCORES_SAVE_SCORE__INPUT, SCORE_ANY },
	{ SCORES_SAVE_SCORE__OUTPUT, SCORE_ANY },
	{ SCORES_SAVE_SCORE__ADDITIONAL_CONTEXT, SCORE_OBJECT },
	{ SCORES_SAVE_SCORE__REQUEST_CONTEXT, SCORE_OBJECT },
	{ SCORES_SAVE_SCORE__ENTITY_TYPE, SCORE_TEXT },
	{ SCORES_SAVE_SCORE__ENTITY, SCORE_OBJECT },
	{ SCORES_SAVE_SCORE__ENTITY_ID, SCORE_TEXT },
	{ SCORES_SAVE_SCORE__SOURCE, SCORE_TEXT },
	{ SCORES_SAVE_SCORE__RESOURCE_ID, SCORE_TEXT },
	{ SCORES_SAVE_SCORE__THREAD_ID, SCORE_TEXT },
	{ SCORES_SAVE_SCORE__ORGANIZATION_ID, SCORE_TEXT },
	{ SCORES_SAVE_SCORE__PROJECT_ID, SCORE_TEXT },
	{ SCORES_SAVE_SCORE__BATCH_ID, SCORE_TEXT },
	{ SCORES_SAVE_SCORE__DATASET_ID, SCORE_TEXT },
	{ SCORES_SAVE_SCORE__DATASET_ITEM_ID, SCORE_TEXT },
};
#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

/* A row to store. */
struct stored_score {
	struct datum id;
	int64_t at_us;
	struct datum values[COLUMN_COUNT];
};

/* A JSON string that holds the JSON in normal form. */
static struct datum scores_quote(struct arena *arena, const struct datum *json)
{
	struct datum normal = json_normal(arena, json);
	struct json_text out = json_text_new(arena);

	json_text_string(&out, normal.text, normal.size);
	return json_datum(json_text_end(&out));
}

static bool scores_read_json(struct context *ctx, struct call *call, const struct datum *given,
	enum score_kind kind, const char *name, struct datum *out)
{
	if (kind != SCORE_ANY && !datum_is_null(given) &&
		json_kind(json_of(given)) != JSON_OBJECT_KIND) {
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_SCORE", NULL, "%s must be an object",
			name);
		return false;
	}
	if (!binding_json(ctx, call, given, name, out))
		return false;
	if (kind != SCORE_JSON && !datum_is_null(out))
		*out = scores_quote(ctx->arena, out);
	return true;
}

static bool scores_read_column(struct context *ctx, struct call *call,
	const struct score_column *column, struct datum *out)
{
	const struct datum *given = datum_field(call->request, column->field);
	const char *name = call->request_type->fields[column->field].name;

	*out = *given;
	if (column->kind == SCORE_TEXT)
		return binding_text_ok(ctx, call, given, name);
	if (column->kind != SCORE_NUMBER)
		return scores_read_json(ctx, call, given, column->kind, name, out);
	if (isfinite(given->real))
		return true;
	call_fail(ctx, call, FAILURE_INVALID, "INVALID_SCORE", NULL, "%s must be a finite number",
		name);
	return false;
}

/* Reads `clear`, the fields that the client set to null instead of leaving them out. The reference
 * rejects a null in any other field. Only for the input does a null differ from a missing field:
 * *input_null says whether it is a null. */
static bool scores_read_cleared(struct context *ctx, struct call *call, bool *input_null)
{
	static const char *const nullable[] = { "input", "output", "organizationId", "projectId",
		"batchId", "datasetId", "datasetItemId", NULL };
	const struct datum *names = datum_field(call->request, SCORES_SAVE_SCORE__CLEAR);

	*input_null = false;
	for (uint32_t i = 0; i < names->size; i++) {
		const struct datum *name = &names->items[i];
		int found = choice_find(nullable, name);
		if (found < 0) {
			call_fail(ctx, call, FAILURE_INVALID, "INVALID_CLEAR", NULL,
				"clear names %.*s, but that is not a field of a score that can be null",
				(int)name->size, name->text);
			return false;
		}
		*input_null |= found == 0;
	}
	return true;
}

/* As in the reference, a missing input is stored as an empty text, and a null as the text "null". */
static void scores_complete_input(struct stored_score *score, bool input_null)
{
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		if (columns[i].kind == SCORE_ANY && datum_is_null(&score->values[i]))
			score->values[i] = datum_string(input_null ? "\"null\"" : "\"\"");
}

static bool scores_read_score(struct context *ctx, struct call *call, struct stored_score *out)
{
	bool input_null;
	const struct datum *id = datum_field(call->request, SCORES_SAVE_SCORE__ID);

	if (!scores_read_cleared(ctx, call, &input_null) || !binding_text_ok(ctx, call, id, "id"))
		return false;
	out->at_us = call->now_us;
	out->id = *id;
	if (datum_is_null(id)) {
		char *made = arena_alloc(ctx->arena, UUID_TEXT_SIZE);
		uuid_v4(made);
		out->id = datum_string(made);
	}
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		if (!scores_read_column(ctx, call, &columns[i], &out->values[i]))
			return false;
	scores_complete_input(out, input_null);
	return true;
}

/* Replies the given score with its id and times. */
static void scores_reply_score(struct context *ctx, struct call *call,
	const struct stored_score *score)
{
	struct datum fields[SCORES_SCORE_ROW_DATA_SIZE] = { 0 };
	const struct type *type = reply_result_type(call)->fields[0].type;

	for (size_t i = 0; call->wants_reply && i < call->request_type->field_count; i++) {
		const char *name = call->request_type->fields[i].name;
		int field = type_field_index(type, name, strlen(name));
		if (field >= 0)
			fields[field] = call->request->items[i];
	}
	fields[SCORES_SCORE_ROW_DATA__ID] = score->id;
	fields[SCORES_SCORE_ROW_DATA__CREATED_AT] = datum_integer(score->at_us / 1000);
	fields[SCORES_SCORE_ROW_DATA__UPDATED_AT] = datum_integer(score->at_us / 1000);
	struct datum record = datum_record(fields, SCORES_SCORE_ROW_DATA_SIZE);
	call_reply(ctx, call, datum_record(&record, SCORES_SAVE_SCORE_RESULT_SIZE));
}

/* ---------------------------------------------------------------- all calls */

/* The rows that one statement stores: of several scores with one id, the last. */
struct score_batch {
	const struct stored_score *scores; /* by number of the id */
	const uint32_t *order;
	uint32_t count;
};

static void scores_bind_column(struct params *params, const struct score_batch *batch,
	size_t column)
{
	static const enum params_element elements[] = {
		[SCORE_TEXT] = ELEMENT_TEXT,
		[SCORE_NUMBER] = ELEMENT_FLOAT8,
		[SCORE_JSON] = ELEMENT_JSONB,
		[SCORE_OBJECT] = ELEMENT_JSONB,
		[SCORE_ANY] = ELEMENT_JSONB,
	};
	enum score_kind kind = columns[column].kind;
	int array = params_array(params, elements[kind]);

	for (uint32_t i = 0; i < batch->count; i++) {
		const struct datum *value = &batch->scores[batch->order[i]].values[column];
		if (kind == SCORE_TEXT)
			bind_element_text(params, array, value);
		else if (kind == SCORE_NUMBER)
			array_float8(params, array,
				value->real +
					0.0); /* -0 becomes 0, as JSON.stringify() prints it */
		else
			bind_element_jsonb(params, array, value);
	}
}

static void scores_send(struct context *ctx, const struct score_batch *batch)
{
	int ids = params_array(ctx->params, ELEMENT_TEXT);

	for (uint32_t i = 0; i < batch->count; i++)
		bind_element_text(ctx->params, ids, &batch->scores[batch->order[i]].id);
	for (size_t column = 0; column < COLUMN_COUNT; column++)
		scores_bind_column(ctx->params, batch, column);
	int times = params_array(ctx->params, ELEMENT_TIMESTAMPTZ);
	for (uint32_t i = 0; i < batch->count; i++)
		array_timestamp_us(ctx->params, times, batch->scores[batch->order[i]].at_us);
	context_send(ctx, SQL_SCORES_SAVE_SCORE, NULL, NULL);
}

void scores_save_score(struct context *ctx)
{
	struct stored_score *scores = arena_alloc(ctx->arena, ctx->count * sizeof(*scores));
	struct keys *keys = keys_new(ctx->arena, (uint32_t)ctx->count);
	struct stored_score score;

	for (size_t i = 0; i < ctx->count; i++) {
		if (!scores_read_score(ctx, ctx->calls[i], &score))
			continue;
		scores_reply_score(ctx, ctx->calls[i], &score);
		scores[keys_add(keys, &score.id)] = score;
	}
	struct score_batch batch = { .scores = scores, .count = keys_count(keys) };
	if (!batch.count)
		return;
	batch.order = keys_sorted(keys);
	scores_send(ctx, &batch);
}
