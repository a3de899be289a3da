/*
 * json.h - JSON as text, without making a tree of it
 *
 * Handlers store and return JSON as it came, so nearly all of them need is done on the text:
 * no tree, no recursion, numbers keep their digits. Texts come from the decoder, which has
 * checked that they are JSON, or from the database, where json_check() of schemas/ tells.
 *
 * The normal form is what JSON.stringify(JSON.parse(text)) prints (member order, which
 * JavaScript changes for keys that are integers, is kept as given).
 *
 * Results live in the arena, or point into the text they came from.
 */
#ifndef SCHEMAS_JSON_JSON_H
#define SCHEMAS_JSON_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "schemas/base/arena.h"
#include "schemas/base/datum.h"

/* A value, or a key with its quotes, as a piece of a JSON text; text is NULL if there is none. */
struct json {
	const char *text;
	size_t len;
};

enum json_kind {
	JSON_ABSENT,
	JSON_OBJECT_KIND,
	JSON_ARRAY_KIND,
	JSON_STRING_KIND,
	JSON_NUMBER_KIND,
	JSON_TRUE_KIND,
	JSON_FALSE_KIND,
	JSON_NULL_KIND,
};

/* By its first character; blanks around it are no matter. */
enum json_kind json_kind(struct json value);
struct json json_of(const struct datum *text); /* of a null: absent */
struct datum json_datum(struct json value);

/* The normal form; the text itself if it is that already. */
struct datum json_normal(struct arena *arena, const struct datum *text);

/* What jsonb can hold: escaped NULs dropped, lone surrogates made U+FFFD, in keys too. False if
 * keys of one object are the same thereafter. */
bool json_repair(struct arena *arena, const struct datum *text, struct datum *out)
	__attribute__((warn_unused_result));

/* The characters of a string value (lone surrogates become U+FFFD, as UTF-8 has none). */
struct datum json_unquote(struct arena *arena, struct json value);
/* Has the string value the same characters? `value` must be in normal form, `text` plain. */
bool json_is(struct json value, const char *text);
/* The same for a value in any form; `text` is ASCII. */
bool json_spells(struct json value, const char *text);
bool json_same(struct json a, struct json b);

/* Walks the members of an object or the items of an array, in order. */
struct json_iter {
	const char *at;
	const char *end;
	bool members;
};
struct json_iter json_iter(struct json container);
/* key (may be NULL) is absent for an item. */
bool json_next(struct json_iter *iter, struct json *key, struct json *value);

/* Member `name` (plain, not escaped) of an object in normal form; absent if it has none or is
 * no object. The last of several wins, as in JSON.parse. */
struct json json_get(struct json object, const char *name);
/* The same for a key with its quotes, in normal form. */
struct json json_get_key(struct json object, struct json key);

/* {...a, ...b} of objects in normal form: a's members in their places, then b's new ones. An
 * argument that is no object counts as {}. */
struct json json_merge(struct arena *arena, struct json a, struct json b);
/* The object with member `name` set: in its place, or last. */
struct json json_set(struct arena *arena, struct json object, const char *name, struct json value);

/* A JSON text under construction; grows in the arena. */
struct json_text {
	struct arena *arena;
	char *bytes;
	size_t len;
	size_t room;
};
struct json_text json_text_new(struct arena *arena);
/* With room for so many bytes: where many are made, and it is known. */
struct json_text json_text_sized(struct arena *arena, size_t room);
void json_text_add(struct json_text *out, const char *bytes, size_t len);
void json_text_puts(struct json_text *out, const char *text);
void json_text_value(struct json_text *out, struct json value);
/* A string from plain characters, escaped as need be. */
void json_text_string(struct json_text *out, const char *text, size_t len);
/* The same without its quotes: a part of one. */
void json_text_characters(struct json_text *out, const char *text, size_t len);
/* A comma if one is due, then the key and its colon. */
void json_text_key(struct json_text *out, const char *key, size_t len);
/* A comma, if what stands before asks for one. */
void json_text_comma(struct json_text *out);
/* What was built; a NUL stands behind it. */
struct json json_text_end(struct json_text *out);

#endif
