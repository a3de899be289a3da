/*
 * write.c - builds a JSON text in an arena
 */
#include "schemas/json/json.h"

#include <stdio.h>
#include <string.h>

#define FIRST_ROOM 256

struct json_text json_text_new(struct arena *arena)
{
	return (struct json_text){ .arena = arena };
}

struct json_text json_text_sized(struct arena *arena, size_t room)
{
	room++; /* for the NUL of json_text_end() */
	return (struct json_text){
		.arena = arena, .bytes = arena_alloc(arena, room), .room = room
	};
}

static void json_write_make_room(struct json_text *out, size_t more)
{
	if (out->room - out->len >= more)
		return;
	size_t room = out->room ? out->room : FIRST_ROOM;
	while (room - out->len < more)
		room *= 2;
	char *bytes = arena_alloc(out->arena, room);
	if (out->len)
		memcpy(bytes, out->bytes, out->len);
	out->bytes = bytes;
	out->room = room;
}

void json_text_add(struct json_text *out, const char *bytes, size_t len)
{
	if (!len)
		return;
	json_write_make_room(out, len);
	memcpy(out->bytes + out->len, bytes, len);
	out->len += len;
}

void json_text_puts(struct json_text *out, const char *text)
{
	json_text_add(out, text, strlen(text));
}

void json_text_value(struct json_text *out, struct json value)
{
	json_text_add(out, value.text, value.len);
}

/* Returns the length of the run at `text` that needs no escape. */
static size_t plain_run(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len && (unsigned char)text[i] >= 0x20 && text[i] != '"' && text[i] != '\\')
		i++;
	return i;
}

static void add_escape(struct json_text *out, unsigned char c)
{
	static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	char escape[8];

	for (size_t i = 0; i + 1 < sizeof(shorts); i += 2) {
		if ((unsigned char)shorts[i] == c) {
			escape[0] = '\\';
			escape[1] = shorts[i + 1];
			json_text_add(out, escape, 2);
			return;
		}
	}
	snprintf(escape, sizeof(escape), "\\u%04x", c);
	json_text_add(out, escape, 6);
}

void json_text_characters(struct json_text *out, const char *text, size_t len)
{
	while (len) {
		size_t run = plain_run(text, len);
		json_text_add(out, text, run);
		text += run;
		len -= run;
		if (len) {
			add_escape(out, (unsigned char)*text);
			text++;
			len--;
		}
	}
}

void json_text_string(struct json_text *out, const char *text, size_t len)
{
	json_text_add(out, "\"", 1);
	json_text_characters(out, text, len);
	json_text_add(out, "\"", 1);
}

void json_text_comma(struct json_text *out)
{
	if (out->len && !strchr("{[:,", out->bytes[out->len - 1]))
		json_text_add(out, ",", 1);
}

void json_text_key(struct json_text *out, const char *key, size_t len)
{
	json_text_comma(out);
	json_text_string(out, key, len);
	json_text_add(out, ":", 1);
}

struct json json_text_end(struct json_text *out)
{
	json_write_make_room(out, 1);
	out->bytes[out->len] = '\0';
	return (struct json){ out->bytes, out->len };
}
