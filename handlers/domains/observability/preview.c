/* preview.c - makes inputPreview, the short text of an input in the light lists */
#include "handlers/domains/observability/read.h"

#include "schemas/json/check.h"

/* in UTF-16 code units, as JavaScript counts */
#define PREVIEW_MAX 100
/* More text than this cannot be in a preview. */
#define PREVIEW_ENOUGH 1024

/* Removes what String.prototype.trim() removes at the front. */
static struct datum preview_trim_front(const struct datum *text)
{
	static const char *const spaces[] = { " ", "\t", "\n", "\v", "\f", "\r", "\u00A0", "\uFEFF",
		"\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
		"\u2007", "\u2008", "\u2009", "\u200A", "\u2028", "\u2029", "\u202F", "\u205F",
		"\u3000" };
	struct datum rest = *text;
	size_t i = 0;

	while (rest.size && i < sizeof(spaces) / sizeof(spaces[0])) {
		size_t len = strlen(spaces[i]);
		bool found = rest.size >= len && memcmp(rest.text, spaces[i], len) == 0;
		if (found)
			rest = datum_text(rest.text + len, rest.size - (uint32_t)len);
		i = found ? 0 : i + 1;
	}
	return rest;
}

static bool preview_is_json(const struct datum *text)
{
	return json_check(text->text, text->size, JSON_DEPTH_MAXIMUM).verdict == JSON_VALID;
}

/* The text, or its first PREVIEW_MAX units and an ellipsis; null for an empty text. A character
 * of two units that the limit would split becomes U+FFFD, because half of it has no UTF-8. */
static struct datum preview_truncate(struct arena *arena, const struct datum *text)
{
	unsigned units = 0;
	uint32_t at = 0;

	if (!text->size)
		return datum_null();
	while (at < text->size) {
		unsigned char lead = (unsigned char)text->text[at];
		unsigned bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
		unsigned wide = bytes == 4 ? 2 : 1;
		if (units + wide > PREVIEW_MAX)
			break;
		units += wide;
		at += bytes;
	}
	if (at >= text->size)
		return *text;
	return datum_string(arena_printf(arena, "%.*s%s…", (int)at, text->text,
		units < PREVIEW_MAX ? "\uFFFD" : ""));
}

static void preview_add_part(struct json_text *out, const char *between, const struct datum *part)
{
	if (!part->size)
		return;
	if (out->len)
		json_text_puts(out, between);
	json_text_add(out, part->text, part->size);
}

/* The text of a part of a message's content; empty if the part has no text. */
static struct datum preview_part_text(struct arena *arena, struct json part)
{
	struct json text = part;

	if (json_kind(part) == JSON_OBJECT_KIND) {
		if (!json_is(json_get(part, "type"), "text"))
			return datum_text("", 0);
		text = json_get(part, "text");
	}
	return json_kind(text) == JSON_STRING_KIND ? json_unquote(arena, text) : datum_text("", 0);
}

static struct datum preview_content_text(struct arena *arena, struct json content)
{
	struct json_text out = json_text_new(arena);
	struct json item;

	if (json_kind(content) == JSON_STRING_KIND)
		return json_unquote(arena, content);
	if (json_kind(content) != JSON_ARRAY_KIND)
		return datum_text("", 0);
	struct json_iter iter = json_iter(content);
	while (out.len < PREVIEW_ENOUGH && json_next(&iter, NULL, &item)) {
		struct datum text = preview_part_text(arena, item);
		preview_add_part(&out, " ", &text);
	}
	return json_datum(json_text_end(&out));
}

/* The texts of the user's messages in a list. */
static struct datum preview_messages_text(struct arena *arena, struct json messages)
{
	struct json_text out = json_text_new(arena);
	struct json_iter iter = json_iter(messages);
	struct json message;

	while (out.len < PREVIEW_ENOUGH && json_next(&iter, NULL, &message)) {
		if (json_kind(message) != JSON_OBJECT_KIND ||
			!json_is(json_get(message, "role"), "user"))
			continue;
		struct datum text = preview_content_text(arena, json_get(message, "content"));
		preview_add_part(&out, " | ", &text);
	}
	return json_datum(json_text_end(&out));
}

static struct datum preview_of_value(struct arena *arena, const struct datum *value)
{
	struct datum normal = json_normal(arena, value);
	struct json json = json_of(&normal);
	struct json messages = json;

	if (json_kind(json) == JSON_OBJECT_KIND)
		messages = json_get(json, "messages");
	if (json_kind(messages) == JSON_ARRAY_KIND)
		normal = preview_messages_text(arena, messages);
	else if (json_kind(json) == JSON_STRING_KIND)
		normal = json_unquote(arena, json);
	return preview_truncate(arena, &normal);
}

struct datum span_preview(struct arena *arena, const struct datum *input)
{
	if (datum_is_null(input) || json_kind(json_of(input)) != JSON_STRING_KIND)
		return datum_is_null(input) ? datum_null() : preview_of_value(arena, input);
	struct datum text = json_unquote(arena, json_of(input));
	struct datum inner = preview_trim_front(&text);
	if (!inner.size)
		return datum_null();
	if (inner.text[0] == '{' || inner.text[0] == '[')
		return preview_is_json(&inner) ? preview_of_value(arena, &inner) : datum_null();
	if (inner.text[0] == '"' && preview_is_json(&inner))
		return preview_of_value(arena, &inner);
	return preview_truncate(arena, &text);
}
