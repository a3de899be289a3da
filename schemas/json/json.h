/*
 * json.h - reads, normalizes and builds JSON as text, without a tree
 *
 * Handlers store and return JSON unchanged, so they work on the text: no tree, no recursion, and
 * numbers keep their digits. Every text must be valid JSON. The decoder has checked the texts of a
 * request; json_check() checks texts from the database.
 *
 * The normal form is what JSON.stringify(JSON.parse(text)) prints, but the members keep their
 * order. (JavaScript moves keys that are integers to the front.)
 *
 * Results are in the arena or point into the given text. Threads: no shared state.
 */
#ifndef SCHEMAS_JSON_JSON_H
#define SCHEMAS_JSON_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "schemas/base/arena.h"
#include "schemas/base/datum.h"

/* A value, or a key with its quotes, within a JSON text. `text` is NULL if the value is absent. */
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

/* Tells the kind by the first character that is not a blank. */
enum json_kind json_kind(struct json value);
struct json json_of(const struct datum *text); /* absent if the datum is null */
struct datum json_datum(struct json value);

/* Returns the normal form, or the text itself if it has the normal form. */
struct datum json_normal(struct arena *arena, const struct datum *text);

/* Makes a text that jsonb can hold: drops escaped NULs and replaces lone surrogates by U+FFFD, also
 * in keys. False if this makes two keys of an object equal. */
bool json_repair(struct arena *arena, const struct datum *text, struct datum *out)
	__attribute__((warn_unused_result));

/* Returns the characters of a string value. Lone surrogates, which UTF-8 does not have, become
 * U+FFFD. */
struct datum json_unquote(struct arena *arena, struct json value);
/* Does the string value equal `text`? The value must be in normal form, and `text` without escapes. */
bool json_is(struct json value, const char *text);
/* The same for a value in any form. `text` must be ASCII. */
bool json_spells(struct json value, const char *text);
/* Does JavaScript treat the value as false: absent, null, false, 0 or ""? */
bool json_is_falsy(struct json value);
/* Are the two texts equal, byte by byte? */
bool json_same(struct json a, struct json b);

/* Iterates over the members of an object or the items of an array, in order. Other values
 * have none. */
struct json_iter {
	const char *at;
	const char *end;
	bool members;
};
struct json_iter json_iter(struct json container);
/* Reads the next member or item; false at the end. `key` may be NULL. Items have an
 * absent key. */
bool json_next(struct json_iter *iter, struct json *key, struct json *value);

/* Returns the member `name` (without escapes) of an object in normal form. Absent if the value has
 * no such member or is not an object. The last of several wins, as in JSON.parse. */
struct json json_get(struct json object, const char *name);
/* The same for a key with quotes, in normal form. */
struct json json_get_key(struct json object, struct json key);

/* Returns {...a, ...b} of objects in normal form: the members of `a` in their places, then the new
 * members of `b`. An argument that is not an object counts as {}. */
struct json json_merge(struct arena *arena, struct json a, struct json b);
/* Returns the object with member `name` set, in its old place or last. */
struct json json_set(struct arena *arena, struct json object, const char *name, struct json value);

/* A text that grows in the arena: JSON, or any other text, such as SQL. */
struct json_text {
	struct arena *arena;
	char *bytes;
	size_t len;
	size_t room;
};
struct json_text json_text_new(struct arena *arena);
/* The same, with memory for `room` bytes. Use it if the size is known. */
struct json_text json_text_sized(struct arena *arena, size_t room);
void json_text_add(struct json_text *out, const char *bytes, size_t len);
void json_text_puts(struct json_text *out, const char *text);
void json_text_value(struct json_text *out, struct json value);
/* Adds a string: quotes and escapes the characters. */
void json_text_string(struct json_text *out, const char *text, size_t len);
/* The same without quotes, to add a part of a string. */
void json_text_characters(struct json_text *out, const char *text, size_t len);
/* Adds a comma if necessary, then the key and a colon. */
void json_text_key(struct json_text *out, const char *key, size_t len);
/* Adds a comma, unless the text is empty or ends with one of {[:, */
void json_text_comma(struct json_text *out);
/* Returns the text, followed by a NUL. */
struct json json_text_end(struct json_text *out);

#endif
