/* value.c - reads a JSON text into a tree, finds members, compares values */
#include "schemas/json_schema/value.h"

#include <stdlib.h>
#include <string.h>

#include "schemas/json/scan.h"
#include "schemas/json_schema/number.h"

struct value_reader {
	struct arena *arena;
	const char *at, *end;
	struct value *parent; /* the container that is open; NULL: none */
	struct datum name;    /* of the next member */
	struct value *root;
};

static void value_add(struct value_reader *reader, const char *end)
{
	struct value *value = arena_calloc(reader->arena, 1, sizeof(*value));
	struct value *parent = reader->parent;

	value->text = reader->at;
	value->size = (uint32_t)(end - reader->at);
	value->kind = json_kind((struct json){ reader->at, value->size });
	value->parent = parent;
	if (!parent) {
		reader->root = value;
	} else {
		value->name = reader->name.text;
		value->name_size = reader->name.size;
		value->next = parent->count ? parent->last->next : value;
		if (parent->count)
			parent->last->next = value;
		parent->last = value;
		parent->count++;
	}
	if (value->kind == JSON_OBJECT_KIND || value->kind == JSON_ARRAY_KIND)
		reader->parent = value;
}

static int value_compare_names(const struct value *one, const char *name, size_t size)
{
	size_t shorter = one->name_size < size ? one->name_size : size;
	int order = shorter ? memcmp(one->name, name, shorter) : 0;

	return order ? order : (one->name_size > size) - (one->name_size < size);
}

/* By name, equal names as they stand in the text. */
static int value_compare_members(const void *a, const void *b)
{
	const struct value *one = *(struct value *const *)a, *two = *(struct value *const *)b;
	int order = value_compare_names(one, two->name, two->name_size);

	return order ? order : (one->text > two->text) - (one->text < two->text);
}

static void value_sort(struct value *object)
{
	uint32_t kept = 0;

	qsort(object->items, object->count, sizeof(*object->items), value_compare_members);
	for (uint32_t i = 0; i < object->count; i++) {
		struct value *member = object->items[i];
		if (kept &&
			value_compare_names(object->items[kept - 1], member->name,
				member->name_size) == 0)
			kept--;
		object->items[kept++] = member;
	}
	object->count = kept;
}

/* The container that is open ends at the byte that is read. */
static void value_close(struct value_reader *reader)
{
	struct value *container = reader->parent;
	struct value *child = container->count ? container->last->next : NULL;
	struct value **items = arena_calloc(reader->arena, (size_t)container->count + 1,
		sizeof(*items));

	for (uint32_t i = 0; i < container->count; i++, child = child->next)
		items[i] = child;
	container->items = items;
	container->size = (uint32_t)(reader->at + 1 - container->text);
	if (container->kind == JSON_OBJECT_KIND && container->count)
		value_sort(container);
	reader->parent = container->parent;
}

static void value_read_name(struct value_reader *reader)
{
	const char *end = json_scan_string(reader->at, reader->end);

	reader->name = json_unquote(reader->arena,
		(struct json){ reader->at, (size_t)(end - reader->at) });
	end = json_scan_blanks(end, reader->end) + 1; /* the colon */
	reader->at = json_scan_blanks(end, reader->end);
}

/* Reads one token, or a name with the token that follows it. */
static void value_step(struct value_reader *reader)
{
	if (*reader->at == ']' || *reader->at == '}') {
		value_close(reader);
		reader->at++;
		return;
	}
	if (*reader->at == ',') {
		reader->at++;
		return;
	}
	if (reader->parent && reader->parent->kind == JSON_OBJECT_KIND)
		value_read_name(reader);
	const char *end = *reader->at == '{' || *reader->at == '['
		? reader->at + 1
		: json_scan_value(reader->at, reader->end);
	value_add(reader, end);
	reader->at = end;
}

struct value *value_read(struct arena *arena, struct json text)
{
	struct value_reader reader = { arena, text.text, text.text + text.len, NULL, { 0 }, NULL };

	do {
		reader.at = json_scan_blanks(reader.at, reader.end);
		value_step(&reader);
	} while (reader.parent);
	return reader.root;
}

const struct value *value_member(const struct value *object, const char *name, size_t size)
{
	uint32_t low = 0, high = object->kind == JSON_OBJECT_KIND ? object->count : 0;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = value_compare_names(object->items[middle], name, size);
		if (order == 0)
			return object->items[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

bool value_named(const struct value *member, const char *name)
{
	return value_compare_names(member, name, strlen(name)) == 0;
}

struct datum value_characters(struct arena *arena, const struct value *string)
{
	return json_unquote(arena, (struct json){ string->text, string->size });
}

static bool value_same_text(struct arena *arena, const struct value *a, const struct value *b)
{
	struct datum one = value_characters(arena, a), two = value_characters(arena, b);
	return datum_equals(&one, &two);
}

static bool value_equal_items(struct arena *arena, const struct value *a, const struct value *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if ((a->kind == JSON_OBJECT_KIND &&
			    value_compare_names(a->items[i], b->items[i]->name,
				    b->items[i]->name_size) != 0) ||
			!value_equal(arena, a->items[i], b->items[i]))
			return false;
	return true;
}

bool value_equal(struct arena *arena, const struct value *a, const struct value *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case JSON_OBJECT_KIND:
	case JSON_ARRAY_KIND:
		return value_equal_items(arena, a, b);
	case JSON_STRING_KIND:
		return value_same_text(arena, a, b);
	case JSON_NUMBER_KIND:
		return number_compare(number_read(a->text, a->size),
			       number_read(b->text, b->size)) == 0;
	default:
		return true;
	}
}

const char *value_kind_name(const struct value *value)
{
	switch (value->kind) {
	case JSON_OBJECT_KIND:
		return "object";
	case JSON_ARRAY_KIND:
		return "array";
	case JSON_STRING_KIND:
		return "string";
	case JSON_NUMBER_KIND:
		return "number";
	case JSON_TRUE_KIND:
	case JSON_FALSE_KIND:
		return "boolean";
	default:
		return "null";
	}
}
