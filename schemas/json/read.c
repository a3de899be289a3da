/*
 * read.c - finds values in a JSON text, and merges objects
 */
#include "schemas/json/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/siphash.h"
#include "schemas/json/scan.h"

struct json json_of(const struct datum *text)
{
	if (!text || datum_is_null(text))
		return (struct json){ 0 };
	return (struct json){ text->text, text->size };
}

struct datum json_datum(struct json value)
{
	return value.text ? datum_text(value.text, (uint32_t)value.len) : datum_null();
}

enum json_kind json_kind(struct json value)
{
	if (!value.text)
		return JSON_ABSENT;
	const char *end = value.text + value.len;
	const char *at = json_scan_blanks(value.text, end);
	if (at == end)
		return JSON_ABSENT;
	switch (*at) {
	case '{':
		return JSON_OBJECT_KIND;
	case '[':
		return JSON_ARRAY_KIND;
	case '"':
		return JSON_STRING_KIND;
	case 't':
		return JSON_TRUE_KIND;
	case 'f':
		return JSON_FALSE_KIND;
	case 'n':
		return JSON_NULL_KIND;
	default:
		return JSON_NUMBER_KIND;
	}
}

struct json_iter json_iter(struct json container)
{
	enum json_kind kind = json_kind(container);

	if (kind != JSON_OBJECT_KIND && kind != JSON_ARRAY_KIND)
		return (struct json_iter){ 0 };
	const char *end = container.text + container.len;
	return (struct json_iter){
		.at = json_scan_blanks(container.text, end) + 1,
		.end = end,
		.members = kind == JSON_OBJECT_KIND,
	};
}

/* Reads a value and moves iter->at to its end. */
static struct json json_read_take(struct json_iter *iter)
{
	const char *begin = json_scan_blanks(iter->at, iter->end);

	iter->at = json_scan_value(begin, iter->end);
	return (struct json){ begin, (size_t)(iter->at - begin) };
}

bool json_next(struct json_iter *iter, struct json *key, struct json *value)
{
	iter->at = json_scan_blanks(iter->at, iter->end);
	if (iter->at < iter->end && *iter->at == ',')
		iter->at = json_scan_blanks(iter->at + 1, iter->end);
	if (iter->at >= iter->end || *iter->at == '}' || *iter->at == ']')
		return false;
	struct json name = { 0 };
	if (iter->members) {
		name = json_read_take(iter);
		iter->at = json_scan_blanks(iter->at, iter->end);
		iter->at += iter->at < iter->end;
	}
	if (key)
		*key = name;
	*value = json_read_take(iter);
	return true;
}

bool json_same(struct json a, struct json b)
{
	return a.len == b.len && (!a.len || memcmp(a.text, b.text, a.len) == 0);
}

bool json_is(struct json value, const char *text)
{
	size_t len = strlen(text);

	return value.text && value.len == len + 2 && *value.text == '"' &&
		memcmp(value.text + 1, text, len) == 0;
}

/* 0, -0, 0.00, 0e9: a digit other than 0 before the exponent makes it another number. */
static bool is_zero(struct json number)
{
	for (size_t i = 0; i < number.len && (number.text[i] | 0x20) != 'e'; i++)
		if (number.text[i] >= '1' && number.text[i] <= '9')
			return false;
	return true;
}

bool json_is_falsy(struct json value)
{
	switch (json_kind(value)) {
	case JSON_ABSENT:
	case JSON_NULL_KIND:
	case JSON_FALSE_KIND:
		return true;
	case JSON_NUMBER_KIND:
		return is_zero(value);
	case JSON_STRING_KIND:
		return json_spells(value, "");
	case JSON_OBJECT_KIND:
	case JSON_ARRAY_KIND:
	case JSON_TRUE_KIND:
		break;
	}
	return false;
}

struct json json_get(struct json object, const char *name)
{
	struct json found = { 0 }, key, value;
	struct json_iter iter = json_iter(object);

	while (iter.members && json_next(&iter, &key, &value))
		if (json_is(key, name))
			found = value;
	return found;
}

struct json json_get_key(struct json object, struct json wanted)
{
	struct json found = { 0 }, key, value;
	struct json_iter iter = json_iter(object);

	while (iter.members && json_next(&iter, &key, &value))
		if (json_same(key, wanted))
			found = value;
	return found;
}

/* The members of an object in a hash table by key, so that a merge of large
 * objects is not quadratic. */
struct member {
	struct json key;
	struct json value;
	bool done;
};

struct members {
	struct siphash_seed seed;
	struct member *slots;
	size_t mask;
};

/* Returns the slot that has the key, or the free slot for it. */
static struct member *members_slot(const struct members *members, struct json key)
{
	size_t at = (size_t)siphash(members->seed, key.text, key.len) & members->mask;

	while (members->slots[at].key.text && !json_same(members->slots[at].key, key))
		at = (at + 1) & members->mask;
	return &members->slots[at];
}

static size_t json_read_count_members(struct json object)
{
	struct json key, value;
	size_t count = 0;

	struct json_iter iter = json_iter(object);
	while (iter.members && json_next(&iter, &key, &value))
		count++;
	return count;
}

static struct members members_of(struct arena *arena, struct json object)
{
	struct json key, value;
	size_t count = json_read_count_members(object), room = 8;

	while (room < 2 * count)
		room *= 2;
	struct members members = {
		.seed = siphash_seed(),
		.slots = arena_calloc(arena, room, sizeof(struct member)),
		.mask = room - 1,
	};
	struct json_iter iter = json_iter(object);
	while (iter.members && json_next(&iter, &key, &value))
		*members_slot(&members, key) = (struct member){ key, value, false };
	return members;
}

static void add_member(struct json_text *out, struct json key, struct json value)
{
	json_text_comma(out);
	json_text_value(out, key);
	json_text_add(out, ":", 1);
	json_text_value(out, value);
}

/* A member of a merged object. */
struct merged {
	struct json key;
	struct json value;
	int64_t index; /* if JavaScript treats the key as an array index; else -1 */
};

/* Returns the number of a key that is an array index: canonical decimal digits below 2^32 - 1.
 * JavaScript lists such keys first, in order of their numbers. */
static int64_t key_index(struct json key)
{
	int64_t index = 0;

	if (key.len < 3 || key.len > 12 || (key.text[1] == '0' && key.len > 3))
		return -1;
	for (size_t i = 1; i < key.len - 1; i++) {
		if (key.text[i] < '0' || key.text[i] > '9')
			return -1;
		index = index * 10 + (key.text[i] - '0');
	}
	return index < UINT32_MAX ? index : -1;
}

static int by_index(const void *a, const void *b)
{
	int64_t left = ((const struct merged *)a)->index, right = ((const struct merged *)b)->index;

	return (left > right) - (left < right);
}

static size_t merge_members(struct members *given, struct json a, struct json b,
	struct merged *merged)
{
	struct json key, value;
	size_t count = 0;

	struct json_iter iter = json_iter(a);
	while (iter.members && json_next(&iter, &key, &value)) {
		struct member *member = members_slot(given, key);
		merged[count++] = (struct merged){ key, member->key.text ? member->value : value,
			key_index(key) };
		member->done = true;
	}
	iter = json_iter(b);
	while (iter.members && json_next(&iter, &key, &value)) {
		struct member *member = members_slot(given, key);
		if (!member->done)
			merged[count++] = (struct merged){ key, member->value, key_index(key) };
		member->done = true;
	}
	return count;
}

struct json json_merge(struct arena *arena, struct json a, struct json b)
{
	struct json_text out = json_text_new(arena);
	struct members given = members_of(arena, b);
	size_t room = json_read_count_members(a) + json_read_count_members(b) + 1, indexes = 0;
	struct merged *merged = arena_calloc(arena, room, sizeof(*merged));
	struct merged *first = arena_calloc(arena, room, sizeof(*first));
	size_t count = merge_members(&given, a, b, merged);

	for (size_t i = 0; i < count; i++)
		if (merged[i].index >= 0)
			first[indexes++] = merged[i];
	qsort(first, indexes, sizeof(*first), by_index);
	json_text_add(&out, "{", 1);
	for (size_t i = 0; i < indexes; i++)
		add_member(&out, first[i].key, first[i].value);
	for (size_t i = 0; i < count; i++)
		if (merged[i].index < 0)
			add_member(&out, merged[i].key, merged[i].value);
	json_text_add(&out, "}", 1);
	return json_text_end(&out);
}

struct json json_set(struct arena *arena, struct json object, const char *name, struct json value)
{
	struct json_text one = json_text_new(arena);

	json_text_add(&one, "{", 1);
	json_text_key(&one, name, strlen(name));
	json_text_value(&one, value);
	json_text_add(&one, "}", 1);
	return json_merge(arena, object, json_text_end(&one));
}
