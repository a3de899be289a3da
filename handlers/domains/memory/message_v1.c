/* message_v1.c - converts content of older formats to format 2 */
#include "handlers/domains/memory/message_v1.h"

#include <string.h>

#include "handlers/core/keys.h"

/* A conversion under way. */
struct conversion {
	struct arena *arena;
	const struct message_v1 *message;
	struct json_text parts;
	struct json_text invocations;
	bool after_tool; /* the last part is a tool invocation */
	/* The args of the array's tool calls by call id; made when the first result needs them. */
	struct keys *calls;
	struct datum *ids;
	struct json *args;
};

bool message_v1_is(struct json content)
{
	enum json_kind kind = json_kind(content);

	return kind == JSON_STRING_KIND || kind == JSON_ARRAY_KIND ||
		(kind == JSON_OBJECT_KIND && !json_get(content, "format").text);
}

/* ---------------------------------------------------------------- writing parts */

static void message_v1_member(struct json_text *out, const char *name, struct json value)
{
	if (!value.text)
		return;
	json_text_key(out, name, strlen(name));
	json_text_value(out, value);
}

static void message_v1_literal(struct json_text *out, const char *name, const char *json)
{
	message_v1_member(out, name, (struct json){ json, strlen(json) });
}

static void message_v1_begin(struct conversion *c, const char *type)
{
	json_text_comma(&c->parts);
	json_text_puts(&c->parts, "{");
	message_v1_literal(&c->parts, "type", type);
	c->after_tool = false;
}

static void message_v1_end(struct conversion *c, struct json item)
{
	struct json options = json_get(item, "providerOptions");

	if (!json_is_falsy(options))
		message_v1_member(&c->parts, "providerMetadata", options);
	json_text_puts(&c->parts, "}");
}

/* ---------------------------------------------------------------- texts */

static bool message_v1_is_empty_text(struct json item)
{
	struct json text = json_get(item, "text");
	return json_is(json_get(item, "type"), "text") && json_kind(text) == JSON_STRING_KIND &&
		text.len == 2;
}

static bool message_v1_has_type(struct json item)
{
	static const char *const types[] = { "text", "tool-call", "tool-result", "reasoning",
		"redacted-reasoning", "image", "file" };
	struct json type = json_get(item, "type");

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (json_is(type, types[i]))
			return true;
	return false;
}

/* Empty texts are left out, unless there is nothing else. */
static bool message_v1_keeps_empty(struct json items)
{
	struct json_iter iter = json_iter(items);
	struct json item;

	while (json_next(&iter, NULL, &item))
		if (message_v1_has_type(item) && !message_v1_is_empty_text(item))
			return false;
	return true;
}

/* A text behind a tool invocation begins a new step of the assistant. */
static void message_v1_add_text(struct conversion *c, struct json item, bool keeps_empty)
{
	if (c->message->assistant && c->after_tool) {
		message_v1_begin(c, "\"step-start\"");
		json_text_puts(&c->parts, "}");
	}
	c->after_tool = false;
	if (message_v1_is_empty_text(item) && !keeps_empty)
		return;
	message_v1_begin(c, "\"text\"");
	message_v1_member(&c->parts, "text", json_get(item, "text"));
	message_v1_end(c, item);
}

/* ---------------------------------------------------------------- tools */

static bool message_v1_has_args(struct json args)
{
	enum json_kind kind = json_kind(args);
	return (kind == JSON_OBJECT_KIND || kind == JSON_ARRAY_KIND || kind == JSON_STRING_KIND) &&
		args.len > 2;
}

static struct datum message_v1_call_id(struct json item)
{
	struct json id = json_get(item, "toolCallId");
	return id.text ? json_datum(id) : datum_string("");
}

/* Of several calls with one id the first counts. */
static void message_v1_index_calls(struct conversion *c)
{
	struct json_iter count = json_iter(c->message->content), iter = count;
	struct json item;
	size_t calls = 0;

	while (json_next(&count, NULL, &item))
		calls += json_is(json_get(item, "type"), "tool-call");
	c->calls = keys_new(c->arena, 8);
	c->ids = arena_alloc(c->arena, (calls + 1) * sizeof(*c->ids));
	c->args = arena_alloc(c->arena, (calls + 1) * sizeof(*c->args));
	while (json_next(&iter, NULL, &item)) {
		uint32_t next = keys_count(c->calls);
		if (!json_is(json_get(item, "type"), "tool-call"))
			continue;
		c->ids[next] = message_v1_call_id(item);
		if (keys_add(c->calls, &c->ids[next]) == next)
			c->args[next] = json_get(item, "args");
	}
}

/* The args of a result's call: in the same message, or else in the messages before. */
static struct json message_v1_find_args(struct conversion *c, struct json item)
{
	struct datum id = message_v1_call_id(item);

	if (!c->calls)
		message_v1_index_calls(c);
	uint32_t number = keys_find(c->calls, &id);
	if (number != KEYS_NONE && message_v1_has_args(c->args[number]))
		return c->args[number];
	struct json args = c->message->args(c->message->list, json_get(item, "toolCallId"));
	return args.text ? args : (struct json){ "{}", 2 };
}

static struct json message_v1_result(struct conversion *c, struct json item)
{
	struct json_text out = json_text_new(c->arena);
	struct json result = json_get(item, "result");
	enum json_kind kind = json_kind(result);

	json_text_puts(&out, "{");
	message_v1_literal(&out, "state", "\"result\"");
	message_v1_member(&out, "toolCallId", json_get(item, "toolCallId"));
	message_v1_member(&out, "toolName", json_get(item, "toolName"));
	if (kind == JSON_ABSENT || kind == JSON_NULL_KIND)
		message_v1_literal(&out, "result", "\"\"");
	else
		message_v1_member(&out, "result", result);
	message_v1_member(&out, "args", message_v1_find_args(c, item));
	json_text_puts(&out, "}");
	return json_text_end(&out);
}

static void message_v1_add_call(struct conversion *c, struct json item)
{
	message_v1_begin(c, "\"tool-invocation\"");
	json_text_puts(&c->parts, ",\"toolInvocation\":{");
	message_v1_literal(&c->parts, "state", "\"call\"");
	message_v1_member(&c->parts, "toolCallId", json_get(item, "toolCallId"));
	message_v1_member(&c->parts, "toolName", json_get(item, "toolName"));
	message_v1_member(&c->parts, "args", json_get(item, "args"));
	json_text_puts(&c->parts, "}");
	message_v1_end(c, item);
	c->after_tool = true;
}

static void message_v1_add_result(struct conversion *c, struct json item)
{
	struct json invocation = message_v1_result(c, item);

	message_v1_begin(c, "\"tool-invocation\"");
	message_v1_member(&c->parts, "toolInvocation", invocation);
	message_v1_end(c, item);
	json_text_comma(&c->invocations);
	json_text_value(&c->invocations, invocation);
	c->after_tool = true;
}

/* ---------------------------------------------------------------- reasoning and files */

static void message_v1_add_reasoning(struct conversion *c, struct json item, bool redacted)
{
	message_v1_begin(c, "\"reasoning\"");
	if (redacted)
		message_v1_literal(&c->parts, "reasoning", "\"\"");
	else
		message_v1_member(&c->parts, "reasoning", json_get(item, "text"));
	json_text_puts(&c->parts, ",\"details\":[{");
	message_v1_literal(&c->parts, "type", redacted ? "\"redacted\"" : "\"text\"");
	if (redacted) {
		message_v1_member(&c->parts, "data", json_get(item, "data"));
	} else {
		message_v1_member(&c->parts, "text", json_get(item, "text"));
		message_v1_member(&c->parts, "signature", json_get(item, "signature"));
	}
	json_text_puts(&c->parts, "}]");
	message_v1_end(c, item);
}

/* What JavaScript's String(value) returns for the values that a stored image can be. */
static void message_v1_add_image_data(struct conversion *c, struct json image)
{
	json_text_key(&c->parts, "data", strlen("data"));
	switch (json_kind(image)) {
	case JSON_STRING_KIND:
		json_text_value(&c->parts, image);
		break;
	case JSON_ABSENT:
		json_text_puts(&c->parts, "\"undefined\"");
		break;
	case JSON_OBJECT_KIND:
		json_text_puts(&c->parts, "\"[object Object]\"");
		break;
	default:
		json_text_string(&c->parts, image.text, image.len);
		break;
	}
}

static void message_v1_add_image(struct conversion *c, struct json item)
{
	message_v1_begin(c, "\"file\"");
	message_v1_add_image_data(c, json_get(item, "image"));
	message_v1_member(&c->parts, "mimeType", json_get(item, "mimeType"));
	message_v1_end(c, item);
}

/* The type in a data URI's head, such as data:image/png;base64,AAAA; absent if it has none. */
static struct json message_v1_uri_type(struct arena *arena, const struct datum *uri)
{
	static const char scheme[] = "data:";
	const size_t begin = sizeof(scheme) - 1;

	if (uri->size < begin || memcmp(uri->text, scheme, begin) != 0)
		return (struct json){ 0 };
	const char *head = uri->text + begin, *comma = memchr(head, ',', uri->size - begin);
	if (!comma)
		return (struct json){ 0 };
	const char *semicolon = memchr(head, ';', (size_t)(comma - head));
	size_t len = (size_t)((semicolon ? semicolon : comma) - head);
	if (!len)
		return (struct json){ 0 };
	struct json_text out = json_text_new(arena);
	json_text_string(&out, head, len);
	return json_text_end(&out);
}

/* Bytes that JSON.stringify() stored as an object are lost; the reference returns no data for them. */
static void message_v1_add_file(struct conversion *c, struct json item)
{
	struct json data = json_get(item, "data"), type = json_get(item, "mimeType");
	enum json_kind kind = json_kind(data);

	if (kind == JSON_ABSENT || kind == JSON_NULL_KIND)
		return;
	message_v1_begin(c, "\"file\"");
	if (kind == JSON_STRING_KIND) {
		struct datum uri = json_unquote(c->arena, data);
		struct json own = message_v1_uri_type(c->arena, &uri);
		type = own.text ? own : type;
		if (json_is_falsy(type))
			type = (struct json){ "\"image/png\"", 11 };
		message_v1_member(&c->parts, "data", data);
	} else {
		message_v1_literal(&c->parts, "data", "\"\"");
	}
	message_v1_member(&c->parts, "mimeType", type);
	struct json name = json_get(item, "filename");
	if (!json_is_falsy(name))
		message_v1_member(&c->parts, "filename", name);
	message_v1_end(c, item);
}

/* ---------------------------------------------------------------- the content */

static void message_v1_add_item(struct conversion *c, struct json item, bool keeps_empty)
{
	struct json type = json_get(item, "type");

	if (json_is(type, "text"))
		message_v1_add_text(c, item, keeps_empty);
	else if (json_is(type, "tool-call"))
		message_v1_add_call(c, item);
	else if (json_is(type, "tool-result"))
		message_v1_add_result(c, item);
	else if (json_is(type, "reasoning"))
		message_v1_add_reasoning(c, item, false);
	else if (json_is(type, "redacted-reasoning"))
		message_v1_add_reasoning(c, item, true);
	else if (json_is(type, "image"))
		message_v1_add_image(c, item);
	else if (json_is(type, "file"))
		message_v1_add_file(c, item);
}

static void message_v1_add_items(struct conversion *c)
{
	struct json_iter iter = json_iter(c->message->content);
	struct json item;
	bool keeps_empty = message_v1_keeps_empty(c->message->content);

	while (json_next(&iter, NULL, &item))
		message_v1_add_item(c, item, keeps_empty);
}

static void message_v1_add_string(struct conversion *c)
{
	message_v1_begin(c, "\"text\"");
	message_v1_member(&c->parts, "text", c->message->content);
	json_text_puts(&c->parts, "}");
}

struct json message_v1_convert(struct arena *arena, const struct message_v1 *message)
{
	struct conversion c = { .arena = arena,
		.message = message,
		.parts = json_text_new(arena),
		.invocations = json_text_new(arena) };
	enum json_kind kind = json_kind(message->content);

	json_text_puts(&c.parts, "{\"format\":2,\"parts\":[");
	if (kind == JSON_STRING_KIND)
		message_v1_add_string(&c);
	else if (kind == JSON_ARRAY_KIND)
		message_v1_add_items(&c);
	json_text_puts(&c.parts, "]");
	if (c.invocations.len) {
		json_text_puts(&c.parts, ",\"toolInvocations\":[");
		json_text_add(&c.parts, c.invocations.bytes, c.invocations.len);
		json_text_puts(&c.parts, "]");
	}
	if (kind == JSON_STRING_KIND)
		message_v1_member(&c.parts, "content", message->content);
	json_text_puts(&c.parts, "}");
	return json_text_end(&c.parts);
}
