/*
 * random_datum.c - creates random datums of a type
 */
#include "tests/support/random_datum.h"

#include <string.h>

#define ITEMS_MAXIMUM 4
#define CHARACTERS_MAXIMUM 40

struct random random_seed(uint64_t seed)
{
	return (struct random){ seed * 2 + 1 };
}

/* xorshift64*, Vigna 2016 */
static uint64_t next(struct random *random)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return random->state * UINT64_C(0x2545F4914F6CDD1D);
}

uint64_t random_below(struct random *random, uint64_t bound)
{
	return (next(random) >> 11) % bound;
}

static struct datum random_text(struct random *random, struct arena *arena)
{
	static const char *const characters[] = { "a", "b", " ", "'", "\"", "%", "\\", "\xC3\xA4",
		"\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\x01", "\x7F", "\xEF\xBF\xBF" };
	size_t count = random_below(random, CHARACTERS_MAXIMUM), size = 0;
	bool plain = random_below(random, 2);
	char *text = arena_alloc(arena, 4 * count + 1);
	for (size_t i = 0; i < count; i++) {
		size_t kinds = plain ? 3 : sizeof(characters) / sizeof(*characters);
		const char *character = characters[random_below(random, kinds)];
		memcpy(text + size, character, strlen(character));
		size += strlen(character);
	}
	return datum_text(text, (uint32_t)size);
}

static struct datum random_json(struct random *random)
{
	static const char *const texts[] = { "null", "{}", "[]", "0", "-1.5e+10", "\"\"",
		" [1, 2] ", "{\"a\":{\"b\":[true,false,null]}}", "\"\\ud83d\\ude00 \\n \xC3\xA4\"",
		"[\"a longer text without anything special in it\", {\"k\\\"\": \"\\\\\"}]" };
	return datum_string(texts[random_below(random, sizeof(texts) / sizeof(*texts))]);
}

static struct datum random_bytes(struct random *random, struct arena *arena)
{
	uint32_t size = (uint32_t)random_below(random, CHARACTERS_MAXIMUM);
	char *bytes = arena_alloc(arena, size);
	for (uint32_t i = 0; i < size; i++)
		bytes[i] = (char)next(random);
	return datum_text(bytes, size);
}

/* Each length of a varint has the same probability. */
static int64_t random_integer(struct random *random, unsigned bits)
{
	uint64_t value = next(random) >> (64 - bits) >> random_below(random, bits);
	return random_below(random, 2) ? (int64_t)value : -(int64_t)value;
}

static struct datum random_items(struct random *random, struct arena *arena,
	const struct type *type)
{
	uint32_t count = (uint32_t)random_below(random, ITEMS_MAXIMUM),
		 width = type->kind == TYPE_MAP ? 2 : 1;
	struct datum *items = arena_calloc(arena, count, width * sizeof(*items));
	for (uint32_t i = 0; i < count * width; i++) {
		if (width == 2 && i % 2 == 0) /* avro-c requires different keys */
			items[i] = datum_string(arena_printf(arena, "key %u", i));
		else
			items[i] = random_datum(random, arena, type->item);
	}
	return width == 2 ? datum_map(items, count) : datum_array(items, count);
}

static struct datum random_record(struct random *random, struct arena *arena,
	const struct type *type)
{
	struct datum *fields = arena_calloc(arena, type->field_count, sizeof(*fields));
	for (size_t i = 0; i < type->field_count; i++)
		fields[i] = random_datum(random, arena, type->fields[i].type);
	return datum_record(fields, (uint32_t)type->field_count);
}

struct datum random_datum(struct random *random, struct arena *arena, const struct type *type)
{
	if (type->nullable && random_below(random, 2))
		return datum_null();
	switch (type->kind) {
	case TYPE_NULL:
		return datum_null();
	case TYPE_BOOLEAN:
		return datum_boolean(random_below(random, 2));
	case TYPE_INT:
		return datum_integer(random_integer(random, 31));
	case TYPE_LONG:
		return datum_integer(random_integer(random, 63));
	case TYPE_FLOAT:
		return datum_real((double)((float)random_integer(random, 31) / 8));
	case TYPE_DOUBLE:
		return datum_real((double)random_integer(random, 63) / 1024);
	case TYPE_BYTES:
		return random_bytes(random, arena);
	case TYPE_STRING:
		return type->logical == LOGICAL_JSON ? random_json(random)
						     : random_text(random, arena);
	case TYPE_RECORD:
		return random_record(random, arena, type);
	case TYPE_ARRAY:
	case TYPE_MAP:
		return random_items(random, arena, type);
	}
	return datum_null();
}

void random_damage(struct random *random, uint8_t *bytes, size_t *size)
{
	size_t changes = 1 + random_below(random, 3);
	for (size_t i = 0; i < changes && *size; i++) {
		uint8_t *byte = &bytes[random_below(random, *size)];
		*byte = random_below(random, 2) ? (uint8_t)next(random)
						: *byte ^ (uint8_t)(1u << random_below(random, 8));
	}
	if (random_below(random, 4) == 0)
		*size = random_below(random, *size + 1);
	for (size_t more = random_below(random, 4) == 0 ? random_below(random, 16) : 0; more;
		more--)
		bytes[(*size)++] = (uint8_t)next(random);
}
