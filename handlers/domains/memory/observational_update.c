/* Observational memory: changes to one record, found by its id. */
#include "handlers/domains/memory/observational.h"

#include <stdlib.h>
#include <string.h>

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/datum_json.h"
#include "handlers/core/reply.h"
#include "schemas/base/iso_time.h"
#include "schemas/base/uuid.h"

/* All updates end with the time and the id. */
static void send_update(struct context *ctx, struct call *call, int statement,
	const struct datum *id)
{
	params_timestamp_ms(ctx->params, call->now_ms);
	bind_text(ctx->params, id);
	context_send(ctx, statement, om_updated, call);
}

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
	send_update(ctx, call, SQL_MEMORY_SET_BUFFERING_OBSERVATION_FLAG, id);
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
	send_update(ctx, call, SQL_MEMORY_SET_PENDING_MESSAGE_TOKENS, id);
}

/* ---------------------------------------------------------------- updateActiveObservations */

/* The field, an array of strings, as jsonb. */
static bool take_texts(struct context *ctx, struct call *call, unsigned field, struct datum *out)
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
		!take_texts(ctx, call, MEMORY_UPDATE_ACTIVE_OBSERVATIONS__OBSERVED_MESSAGE_IDS,
			&ids))
		return;
	bind_text(ctx->params, text);
	bind_time(ctx->params, observed);
	params_int4(ctx->params, tokens);
	bind_jsonb(ctx->params, &ids);
	send_update(ctx, call, SQL_MEMORY_UPDATE_ACTIVE_OBSERVATIONS, id);
}

/* ---------------------------------------------------------------- updateBufferedObservations */

/* An array of one chunk: the given one with whole counts, an id and its time. */
static struct datum new_chunk(struct context *ctx, const struct call *call)
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
	iso_time_write(created, call->now_ms);

	/* The rest of the object follows, behind its brace. */
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
	struct datum given = new_chunk(ctx, call);
	if (!binding_json(ctx, call, &given, "chunk", &chunks))
		return;
	bind_jsonb(ctx->params, &chunks);
	bind_text(ctx->params, cycle);
	bind_time(ctx->params, buffered);
	send_update(ctx, call, SQL_MEMORY_UPDATE_BUFFERED_OBSERVATIONS, id);
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
	send_update(ctx, call, SQL_MEMORY_UPDATE_BUFFERED_REFLECTION, id);
}

/* ---------------------------------------------------------------- updateObservationalMemoryConfig */

/* An object and its members in the order of their keys, for finding them. */
struct object {
	struct json text;
	struct member {
		struct json key;
		struct json value;
	} *members;
	size_t count;
};

/* Two objects being merged; the stack of them is as deep as both are nested. */
struct merge {
	struct merge *outer;
	struct object target;
	struct object source;
	struct json_iter iter;
	bool adding; /* the target's members are done, the source's own ones follow */
};

static int compare_members(const void *a, const void *b)
{
	const struct json *one = &((const struct member *)a)->key;
	const struct json *two = &((const struct member *)b)->key;

	if (one->len != two->len)
		return one->len < two->len ? -1 : 1;
	return memcmp(one->text, two->text, one->len);
}

static struct object object_of(struct arena *arena, struct json text)
{
	struct object object = { .text = text };
	struct json_iter iter = json_iter(text);
	struct json key, value;

	while (json_next(&iter, &key, &value))
		object.count++;
	object.members = arena_calloc(arena, object.count + 1, sizeof(*object.members));
	iter = json_iter(text);
	for (size_t i = 0; json_next(&iter, &key, &value); i++)
		object.members[i] = (struct member){ key, value };
	qsort(object.members, object.count, sizeof(*object.members), compare_members);
	return object;
}

static const struct json *object_find(const struct object *object, struct json key)
{
	const struct member wanted = { .key = key };
	const struct member *found = bsearch(&wanted, object->members, object->count,
		sizeof(*object->members), compare_members);
	return found ? &found->value : NULL;
}

static struct merge *merge_open(struct json_text *out, struct merge *outer, struct json target,
	struct json source)
{
	struct merge *merge = arena_calloc(out->arena, 1, sizeof(*merge));

	json_text_puts(out, "{");
	merge->outer = outer;
	merge->target = object_of(out->arena, target);
	merge->source = object_of(out->arena, source);
	merge->iter = json_iter(target);
	return merge;
}

/* Puts one member; returns the merge to go on with. */
static struct merge *merge_member(struct json_text *out, struct merge *merge, struct json key,
	struct json value)
{
	const struct json *other = merge->adding ? object_find(&merge->target, key)
						 : object_find(&merge->source, key);

	if (merge->adding && other)
		return merge;
	json_text_comma(out);
	json_text_value(out, key);
	json_text_puts(out, ":");
	if (other && json_kind(value) == JSON_OBJECT_KIND && json_kind(*other) == JSON_OBJECT_KIND)
		return merge_open(out, merge, value, *other);
	json_text_value(out, other ? *other : value);
	return merge;
}

/* Objects in normal form: the target's members in their places, with the source's values, down
 * to where both are objects no more. */
static struct datum deep_merge(struct arena *arena, struct json target, struct json source)
{
	struct json_text out = json_text_new(arena);
	struct merge *merge = merge_open(&out, NULL, target, source);
	struct json key, value;

	while (merge) {
		if (json_next(&merge->iter, &key, &value)) {
			merge = merge_member(&out, merge, key, value);
		} else if (!merge->adding) {
			merge->adding = true;
			merge->iter = json_iter(merge->source.text);
		} else {
			json_text_puts(&out, "}");
			merge = merge->outer;
		}
	}
	return json_datum(json_text_end(&out));
}

/* What is stored, in normal form; {} for nothing, or for what is no object. */
static struct datum stored_config(struct context *ctx, const struct rows *rows)
{
	struct datum stored = datum_string("{}");

	if (!rows_null(rows, 0, 0)) {
		size_t len = 0;
		const char *text = rows_text(rows, 0, 0, &len);
		if (json_kind((struct json){ text, len }) == JSON_OBJECT_KIND)
			stored = datum_text(text, (uint32_t)len);
	}
	return json_normal(ctx->arena, &stored);
}

static void config_locked(struct context *ctx, const struct rows *rows, void *arg)
{
	struct call *call = arg;
	const struct datum *id = datum_field(call->request,
		MEMORY_UPDATE_OBSERVATIONAL_MEMORY_CONFIG__ID);
	struct datum given;

	if (rows_count(rows) == 0) {
		reply_missing(ctx, call);
		return;
	}
	if (!binding_json(ctx, call,
		    datum_field(call->request, MEMORY_UPDATE_OBSERVATIONAL_MEMORY_CONFIG__CONFIG),
		    "config", &given))
		return;
	struct datum stored = stored_config(ctx, rows);
	struct datum change = json_normal(ctx->arena, &given);
	struct datum merged = deep_merge(ctx->arena, json_of(&stored), json_of(&change));
	bind_text(ctx->params, &merged);
	send_update(ctx, call, SQL_MEMORY_UPDATE_OBSERVATIONAL_MEMORY_CONFIG__STORE, id);
}

void memory_update_observational_memory_config(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *request = call->request;
	const struct datum *id = datum_field(request,
		MEMORY_UPDATE_OBSERVATIONAL_MEMORY_CONFIG__ID);
	const struct datum *config = datum_field(request,
		MEMORY_UPDATE_OBSERVATIONAL_MEMORY_CONFIG__CONFIG);

	if (!binding_text_ok(ctx, call, id, "id"))
		return;
	if (json_kind(json_of(config)) != JSON_OBJECT_KIND) {
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_CONFIG", NULL,
			"config is no JSON object");
		return;
	}
	bind_text(ctx->params, id);
	context_send(ctx, SQL_MEMORY_UPDATE_OBSERVATIONAL_MEMORY_CONFIG__LOCK, config_locked, call);
}
