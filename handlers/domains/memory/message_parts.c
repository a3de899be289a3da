/* message_parts.c - completes the parts and tool invocations of a message's content, and makes
 * keys to compare parts */
#include "handlers/domains/memory/message_parts.h"

#include <stdio.h>
#include <string.h>

#include "handlers/core/keys.h"

/* ---------------------------------------------------------------- parts */

static bool message_parts_is_part(struct json item)
{
	enum json_kind kind = json_kind(item);
	return kind == JSON_OBJECT_KIND || kind == JSON_ARRAY_KIND;
}

static bool message_parts_all_valid(struct json parts)
{
	struct json_iter iter = json_iter(parts);
	struct json item;

	if (json_kind(parts) != JSON_ARRAY_KIND)
		return false;
	while (json_next(&iter, NULL, &item))
		if (!message_parts_is_part(item))
			return false;
	return true;
}

static struct json message_parts_filter(struct arena *arena, struct json parts)
{
	struct json_text out = json_text_new(arena);
	struct json_iter iter = json_iter(parts);
	struct json item;

	json_text_puts(&out, "[");
	while (json_kind(parts) == JSON_ARRAY_KIND && json_next(&iter, NULL, &item)) {
		if (!message_parts_is_part(item))
			continue;
		json_text_comma(&out);
		json_text_value(&out, item);
	}
	json_text_puts(&out, "]");
	return json_text_end(&out);
}

/* ---------------------------------------------------------------- toolInvocations */

/* Does JavaScript's Object.keys(value) return any key? */
static bool message_parts_has_keys(struct json value)
{
	switch (json_kind(value)) {
	case JSON_OBJECT_KIND:
	case JSON_ARRAY_KIND:
	case JSON_STRING_KIND:
		return value.len > 2;
	default:
		return false;
	}
}

/* The args of the parts, found by call id. Searching the parts for each entry would be quadratic. */
struct part_args {
	struct keys *calls;
	const struct part_call *found; /* by the number of the call id */
};

struct part_call {
	struct datum
		id; /* the JSON of toolCallId; empty if absent, which matches other absent ids */
	struct json args;
};

static struct datum message_parts_call_id(struct json invocation)
{
	struct json id = json_get(invocation, "toolCallId");

	return id.text ? json_datum(id) : datum_string("");
}

/* Finds the next tool-invocation part that has args. */
static bool message_parts_next_call(struct json_iter *iter, struct part_call *call)
{
	struct json part;

	while (json_next(iter, NULL, &part)) {
		if (!json_is(json_get(part, "type"), "tool-invocation"))
			continue;
		struct json invocation = json_get(part, "toolInvocation");
		struct json args = json_get(invocation, "args");
		if (!message_parts_has_keys(args))
			continue;
		*call = (struct part_call){ message_parts_call_id(invocation), args };
		return true;
	}
	return false;
}

static size_t message_parts_count_calls(struct json parts)
{
	struct json_iter iter = json_iter(parts);
	struct part_call call;
	size_t count = 0;

	while (message_parts_next_call(&iter, &call))
		count++;
	return count;
}

/* Of several parts with one call id the first counts: a later one gets no new number, so the next
 * part overwrites its slot. */
static struct part_args message_parts_args_of(struct arena *arena, struct json parts)
{
	struct part_call *found = arena_calloc(arena, message_parts_count_calls(parts) + 1,
		sizeof(*found));
	struct part_args all = { keys_new(arena, 8), found };
	struct json_iter iter = json_iter(parts);

	while (message_parts_next_call(&iter, &found[keys_count(all.calls)]))
		keys_add(all.calls, &found[keys_count(all.calls)].id);
	return all;
}

static bool message_parts_lacks_args(struct json invocation)
{
	return json_kind(invocation) == JSON_OBJECT_KIND &&
		!message_parts_has_keys(json_get(invocation, "args"));
}

/* The args that the entry lacks and its part has; absent if there are none. */
static struct json message_parts_missing_args(struct json invocation, const struct part_args *all)
{
	if (!message_parts_lacks_args(invocation))
		return (struct json){ 0 };
	struct datum id = message_parts_call_id(invocation);
	uint32_t number = keys_find(all->calls, &id);
	return number == KEYS_NONE ? (struct json){ 0 } : all->found[number].args;
}

static bool message_parts_any_lacks_args(struct json invocations)
{
	struct json_iter iter = json_iter(invocations);
	struct json item;

	while (!iter.members && json_next(&iter, NULL, &item))
		if (message_parts_lacks_args(item))
			return true;
	return false;
}

static struct json message_parts_complete(struct arena *arena, struct json invocations,
	const struct part_args *all)
{
	struct json_text out = json_text_new(arena);
	struct json_iter iter = json_iter(invocations);
	struct json item;

	json_text_puts(&out, "[");
	while (json_next(&iter, NULL, &item)) {
		struct json args = message_parts_missing_args(item, all);
		json_text_comma(&out);
		json_text_value(&out, args.text ? json_set(arena, item, "args", args) : item);
	}
	json_text_puts(&out, "]");
	return json_text_end(&out);
}

struct json message_parts_normalise(struct arena *arena, struct json content)
{
	struct json format = json_get(content, "format");

	if (format.len != 1 || *format.text != '2')
		return content;
	struct json parts = json_get(content, "parts");
	if (!message_parts_all_valid(parts)) {
		parts = message_parts_filter(arena, parts);
		content = json_set(arena, content, "parts", parts);
	}
	struct json invocations = json_get(content, "toolInvocations");
	if (!message_parts_any_lacks_args(invocations))
		return content;
	struct part_args all = message_parts_args_of(arena, parts);
	struct json tidied = message_parts_complete(arena, invocations, &all);
	return json_same(tidied, invocations) ? content
					      : json_set(arena, content, "toolInvocations", tidied);
}

/* ---------------------------------------------------------------- key */

static void message_parts_add_item_id(struct json_text *key, struct json metadata,
	const char *provider)
{
	struct json id = json_get(json_get(metadata, provider), "itemId");

	if (json_kind(id) != JSON_STRING_KIND)
		return;
	json_text_puts(key, provider);
	json_text_value(key, id);
}

static void message_parts_add_item_ids(struct json_text *key, struct json part)
{
	struct json metadata = json_get(part, "providerMetadata");

	message_parts_add_item_id(key, metadata, "azure");
	message_parts_add_item_id(key, metadata, "openai");
}

/* As in the reference, only the length of a detail's text and signature counts. */
static void message_parts_add_reasoning(struct json_text *key, struct json part)
{
	struct json_iter iter = json_iter(json_get(part, "details"));
	struct json detail;
	size_t len = 0;
	char number[32];

	json_text_value(key, json_get(part, "reasoning"));
	while (!iter.members && json_next(&iter, NULL, &detail))
		if (json_is(json_get(detail, "type"), "text"))
			len += json_get(detail, "text").len + json_get(detail, "signature").len;
	snprintf(number, sizeof(number), "%zu", len);
	json_text_puts(key, number);
	message_parts_add_item_ids(key, part);
}

static void message_parts_add_file(struct json_text *key, struct json part)
{
	struct json data = json_get(part, "data"), media = json_get(part, "mimeType");

	json_text_value(key, data.text ? data : json_get(part, "url"));
	json_text_value(key, media.text ? media : json_get(part, "mediaType"));
}

static void message_parts_add_part(struct json_text *key, struct json part)
{
	struct json type = json_get(part, "type");

	json_text_value(key, type);
	if (json_is(type, "text")) {
		json_text_value(key, json_get(part, "text"));
		message_parts_add_item_ids(key, part);
	} else if (json_is(type, "tool-invocation")) {
		struct json invocation = json_get(part, "toolInvocation");
		json_text_value(key, json_get(invocation, "toolCallId"));
		json_text_value(key, json_get(invocation, "state"));
	} else if (json_is(type, "reasoning")) {
		message_parts_add_reasoning(key, part);
	} else if (json_is(type, "file")) {
		message_parts_add_file(key, part);
	} else if (type.len > 6 && memcmp(type.text, "\"data-", 6) == 0) {
		json_text_value(key, json_get(part, "data"));
	}
}

struct json message_parts_key(struct arena *arena, struct json content)
{
	struct json_text key = json_text_new(arena);
	struct json_iter iter = json_iter(json_get(content, "parts"));
	struct json part;

	while (!iter.members && json_next(&iter, NULL, &part))
		message_parts_add_part(&key, part);
	return json_text_end(&key);
}
