/* observational_config.c - memory.updateObservationalMemoryConfig: merges the given object into the
 * stored one */
#include "handlers/domains/memory/observational.h"

#include <stdlib.h>
#include <string.h>

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/reply.h"
#include "schemas/json/json.h"

/* ---------------------------------------------------------------- deep merge */

/* A JSON object with its members sorted by key, so that bsearch() finds them. */
struct object {
	struct json text;
	struct member {
		struct json key;
		struct json value;
	} *members;
	size_t count;
};

/* A merge of two objects. Nested objects make a stack of merges instead of a recursion. */
struct merge {
	struct merge *outer;
	struct object target;
	struct object source;
	struct json_iter iter;
	bool adding; /* the target's members are written; next: members that only the source has */
};

static int config_compare_members(const void *a, const void *b)
{
	const struct json *one = &((const struct member *)a)->key;
	const struct json *two = &((const struct member *)b)->key;

	if (one->len != two->len)
		return one->len < two->len ? -1 : 1;
	return memcmp(one->text, two->text, one->len);
}

static struct object config_object_of(struct arena *arena, struct json text)
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
	qsort(object.members, object.count, sizeof(*object.members), config_compare_members);
	return object;
}

static const struct json *config_find(const struct object *object, struct json key)
{
	const struct member wanted = { .key = key };
	const struct member *found = bsearch(&wanted, object->members, object->count,
		sizeof(*object->members), config_compare_members);
	return found ? &found->value : NULL;
}

static struct merge *config_merge_open(struct json_text *out, struct merge *outer,
	struct json target, struct json source)
{
	struct merge *merge = arena_calloc(out->arena, 1, sizeof(*merge));

	json_text_puts(out, "{");
	merge->outer = outer;
	merge->target = config_object_of(out->arena, target);
	merge->source = config_object_of(out->arena, source);
	merge->iter = json_iter(target);
	return merge;
}

/* Writes one member. Returns the merge to continue with: a nested one if both values are objects. */
static struct merge *config_merge_member(struct json_text *out, struct merge *merge,
	struct json key, struct json value)
{
	const struct json *other = merge->adding ? config_find(&merge->target, key)
						 : config_find(&merge->source, key);

	if (merge->adding && other)
		return merge;
	json_text_comma(out);
	json_text_value(out, key);
	json_text_puts(out, ":");
	if (other && json_kind(value) == JSON_OBJECT_KIND && json_kind(*other) == JSON_OBJECT_KIND)
		return config_merge_open(out, merge, value, *other);
	json_text_value(out, other ? *other : value);
	return merge;
}

/* Merges objects in normal form. The target's members keep their places and get the source's values;
 * members that only the source has follow. Two values that are both objects are merged likewise. */
static struct datum config_merge(struct arena *arena, struct json target, struct json source)
{
	struct json_text out = json_text_new(arena);
	struct merge *merge = config_merge_open(&out, NULL, target, source);
	struct json key, value;

	while (merge) {
		if (json_next(&merge->iter, &key, &value)) {
			merge = config_merge_member(&out, merge, key, value);
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

/* ---------------------------------------------------------------- the command */

/* The stored config in normal form; {} if the column holds NULL or no object. */
static struct datum config_stored(struct context *ctx, const struct rows *rows)
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
	struct datum stored = config_stored(ctx, rows);
	struct datum change = json_normal(ctx->arena, &given);
	struct datum merged = config_merge(ctx->arena, json_of(&stored), json_of(&change));
	bind_text(ctx->params, &merged);
	om_send_update(ctx, call, SQL_MEMORY_UPDATE_OBSERVATIONAL_MEMORY_CONFIG__STORE, id);
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
			"config must be a JSON object");
		return;
	}
	bind_text(ctx->params, id);
	context_send(ctx, SQL_MEMORY_UPDATE_OBSERVATIONAL_MEMORY_CONFIG__LOCK, config_locked, call);
}
