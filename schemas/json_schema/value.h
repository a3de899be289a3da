/*
 * value.h - a JSON text as a tree in an arena
 *
 * Reading is not recursive. Members of an object are sorted by name; of equal names the last one counts, as
 * in JSON.parse and jsonb. Texts point into the JSON text. Threads: no shared state.
 */
#ifndef SCHEMAS_JSON_SCHEMA_VALUE_H
#define SCHEMAS_JSON_SCHEMA_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "schemas/base/arena.h"
#include "schemas/json/json.h"

struct node;

struct value {
	const char *text; /* as it stands in the JSON text */
	const char *name; /* of a member: its name's characters */
	uint32_t size, name_size;
	uint32_t count; /* items or members */
	enum json_kind kind;
	struct value *parent, *next;
	union {
		struct value **items;
		struct value
			*last; /* while it is read: its last child, whose `next` is the first */
	};
	struct node *node; /* what the schema at this place compiled to; NULL: nothing */
};

/* Reads valid JSON. */
struct value *value_read(struct arena *arena, struct json text);

/* The member of that name; NULL if there is none, or the value is not an object. */
const struct value *value_member(const struct value *object, const char *name, size_t size);

/* Does the member of an object have that name? */
bool value_named(const struct value *member, const char *name);

/* The characters of a string. */
struct datum value_characters(struct arena *arena, const struct value *string);

/* Are the values equal, as JSON Schema compares? Recurses as deep as `a` is nested. */
bool value_equal(struct arena *arena, const struct value *a, const struct value *b);

/* "object", "array", "string", "number", "boolean" or "null". Static. */
const char *value_kind_name(const struct value *value);

#endif
