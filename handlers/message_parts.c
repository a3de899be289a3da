#include "handlers/message_parts.h"

#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------------- parts */

static bool is_part(struct json item)
{
	enum json_kind kind = json_kind(item);
	return kind == JSON_OBJECT_KIND || kind == JSON_ARRAY_KIND;
}

static bool parts_are_tidy(struct json parts)
{
	struct json_walk walk = json_walk(parts);
	struct json item;

	if (json_kind(parts) != JSON_ARRAY_KIND)
		return false;
	while (json_next(&walk, NULL, &item))
		if (!is_part(item))
			return false;
	return true;
}

static struct json tidy_parts(struct arena *arena, struct json parts)
{
	struct json_text out = json_text_new(arena);
	struct json_walk walk = json_walk(parts);
	struct json item;

	json_text_puts(&out, "[");
	while (json_kind(parts) == JSON_ARRAY_KIND && json_next(&walk, NULL, &item)) {
		if (!is_part(item))
			continue;
		json_text_comma(&out);
		json_text_value(&out, item);
	}
	json_text_puts(&out, "]");
	return json_text_end(&out);
}

/* ---------------------------------------------------------------- toolInvocations */

/* Has Object.keys() of it anything to list? */
static bool has_keys(struct json value)
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

/* The args of the first part that has some for that call; absent if none has. */
static struct json args_of_call(struct json parts, struct json call_id)
{
	struct json_walk walk = json_walk(parts);
	struct json part;

	while (json_next(&walk, NULL, &part)) {
		if (!json_is(json_get(part, "type"), "tool-invocation"))
			continue;
		struct json invocation = json_get(part, "toolInvocation");
		struct json args = json_get(invocation, "args");
		if (has_keys(args) && json_same(json_get(invocation, "toolCallId"), call_id))
			return args;
	}
	return (struct json){ 0 };
}

/* The args that the entry lacks and its part has; absent if there is nothing to do. */
static struct json missing_args(struct json invocation, struct json parts)
{
	if (json_kind(invocation) != JSON_OBJECT_KIND || has_keys(json_get(invocation, "args")))
		return (struct json){ 0 };
	return args_of_call(parts, json_get(invocation, "toolCallId"));
}

static bool invocations_are_tidy(struct json invocations, struct json parts)
{
	struct json_walk walk = json_walk(invocations);
	struct json item;

	while (!walk.members && json_next(&walk, NULL, &item))
		if (missing_args(item, parts).text)
			return false;
	return true;
}

static struct json tidy_invocations(struct arena *arena, struct json invocations,
	struct json parts)
{
	struct json_text out = json_text_new(arena);
	struct json_walk walk = json_walk(invocations);
	struct json item;

	json_text_puts(&out, "[");
	while (json_next(&walk, NULL, &item)) {
		struct json args = missing_args(item, parts);
		json_text_comma(&out);
		json_text_value(&out, args.text ? json_set(arena, item, "args", args) : item);
	}
	json_text_puts(&out, "]");
	return json_text_end(&out);
}

struct json message_parts_tidy(struct arena *arena, struct json content)
{
	struct json format = json_get(content, "format");

	if (format.len != 1 || *format.text != '2')
		return content;
	struct json parts = json_get(content, "parts");
	if (!parts_are_tidy(parts)) {
		parts = tidy_parts(arena, parts);
		content = json_set(arena, content, "parts", parts);
	}
	struct json invocations = json_get(content, "toolInvocations");
	if (!invocations_are_tidy(invocations, parts))
		content = json_set(arena, content, "toolInvocations",
			tidy_invocations(arena, invocations, parts));
	return content;
}

/* ---------------------------------------------------------------- key */

static void add_item_id(struct json_text *key, struct json metadata, const char *provider)
{
	struct json id = json_get(json_get(metadata, provider), "itemId");

	if (json_kind(id) != JSON_STRING_KIND)
		return;
	json_text_puts(key, provider);
	json_text_value(key, id);
}

static void add_item_ids(struct json_text *key, struct json part)
{
	struct json metadata = json_get(part, "providerMetadata");

	add_item_id(key, metadata, "azure");
	add_item_id(key, metadata, "openai");
}

/* Of the details of a reasoning part only the length of texts and signatures counts. */
static void add_reasoning(struct json_text *key, struct json part)
{
	struct json_walk walk = json_walk(json_get(part, "details"));
	struct json detail;
	size_t len = 0;
	char number[32];

	json_text_value(key, json_get(part, "reasoning"));
	while (!walk.members && json_next(&walk, NULL, &detail))
		if (json_is(json_get(detail, "type"), "text"))
			len += json_get(detail, "text").len + json_get(detail, "signature").len;
	snprintf(number, sizeof(number), "%zu", len);
	json_text_puts(key, number);
	add_item_ids(key, part);
}

static void add_file(struct json_text *key, struct json part)
{
	struct json data = json_get(part, "data"), media = json_get(part, "mimeType");

	json_text_value(key, data.text ? data : json_get(part, "url"));
	json_text_value(key, media.text ? media : json_get(part, "mediaType"));
}

static void add_part(struct json_text *key, struct json part)
{
	struct json type = json_get(part, "type");

	json_text_value(key, type);
	if (json_is(type, "text")) {
		json_text_value(key, json_get(part, "text"));
		add_item_ids(key, part);
	} else if (json_is(type, "tool-invocation")) {
		struct json invocation = json_get(part, "toolInvocation");
		json_text_value(key, json_get(invocation, "toolCallId"));
		json_text_value(key, json_get(invocation, "state"));
	} else if (json_is(type, "reasoning")) {
		add_reasoning(key, part);
	} else if (json_is(type, "file")) {
		add_file(key, part);
	} else if (type.len > 6 && memcmp(type.text, "\"data-", 6) == 0) {
		json_text_value(key, json_get(part, "data"));
	}
}

struct json message_parts_key(struct arena *arena, struct json content)
{
	struct json_text key = json_text_new(arena);
	struct json_walk walk = json_walk(json_get(content, "parts"));
	struct json part;

	while (!walk.members && json_next(&walk, NULL, &part))
		add_part(&key, part);
	return json_text_end(&key);
}
