/* refer.c - the keywords $ref and $schema */
#include <string.h>

#include "schemas/json_schema/compiler.h"

static int refer_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes %XX. False: a percent sign without two digits. */
static bool refer_decode_percent(struct arena *arena, const struct datum *text,
	struct json_text *out)
{
	*out = json_text_new(arena);
	for (uint32_t i = 0; i < text->size; i++) {
		char c = text->text[i];
		if (c == '%') {
			int high = i + 2 < text->size ? refer_hex(text->text[i + 1]) : -1;
			int low = high < 0 ? -1 : refer_hex(text->text[i + 2]);
			if (low < 0)
				return false;
			c = (char)(high * 16 + low);
			i += 2;
		}
		json_text_add(out, &c, 1);
	}
	return true;
}

/* Decodes ~0 and ~1 of a part of a JSON pointer. False: another ~. */
static bool refer_decode_part(struct arena *arena, const char *text, size_t size,
	struct json_text *out)
{
	*out = json_text_new(arena);
	for (size_t i = 0; i < size; i++) {
		char c = text[i];
		if (c == '~') {
			i++;
			if (i == size || (text[i] != '0' && text[i] != '1'))
				return false;
			c = text[i] == '0' ? '~' : '/';
		}
		json_text_add(out, &c, 1);
	}
	return true;
}

/* The item of that index, as a JSON pointer spells it. */
static struct value *refer_item(const struct value *array, const char *text, size_t size)
{
	uint64_t index = 0;

	if (!size || size > 9 || (size > 1 && *text == '0'))
		return NULL;
	for (size_t i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9')
			return NULL;
		index = index * 10 + (uint64_t)(text[i] - '0');
	}
	return index < array->count ? array->items[index] : NULL;
}

static struct value *refer_child(struct arena *arena, const struct value *at, const char *text,
	size_t size)
{
	struct json_text part;

	if (at->kind == JSON_ARRAY_KIND)
		return refer_item(at, text, size);
	if (!refer_decode_part(arena, text, size, &part))
		return NULL;
	/* The tree is the compiler's own. */
	return (struct value *)(uintptr_t)value_member(at, part.bytes, part.len);
}

/* Follows a JSON pointer, which is empty or begins with a slash. NULL: nothing is there. */
static struct value *refer_follow(struct compiler *compiler, const char *at, const char *end)
{
	struct value *found = compiler->root;

	while (found && at < end) {
		if (*at++ != '/')
			return NULL;
		const char *stop = memchr(at, '/', (size_t)(end - at));
		if (!stop)
			stop = end;
		found = refer_child(compiler->arena, found, at, (size_t)(stop - at));
		at = stop;
	}
	return found;
}

bool keyword_read_reference(struct compiler *compiler, struct node *node, struct rule *rule)
{
	struct json_text pointer;

	if (!keyword_read_text(compiler, node, rule))
		return false;
	struct datum text = value_characters(compiler->arena, rule->given);
	if (!text.size || *text.text != '#')
		return compiler_refuse(compiler, rule->given,
			"must begin with #: only references within the schema are supported");
	if (!refer_decode_percent(compiler->arena, &text, &pointer))
		return compiler_refuse(compiler, rule->given,
			"has a percent sign that encodes nothing");
	struct value *target = refer_follow(compiler, pointer.bytes + 1,
		pointer.bytes + pointer.len);
	if (!target)
		return compiler_refuse(compiler, rule->given, "refers to nothing in the schema");
	rule->nodes = arena_calloc(compiler->arena, 1, sizeof(*rule->nodes));
	rule->nodes[0] = compiler_node(compiler, target);
	rule->node_count = 1;
	return true;
}

bool keyword_read_dialect(struct compiler *compiler, struct node *node, struct rule *rule)
{
	static const struct {
		const char *place;
		enum dialect dialect;
	} known[] = {
		{ "//json-schema.org/draft/2020-12/schema", DIALECT_NEWEST },
		{ "//json-schema.org/draft/2019-09/schema", DIALECT_ANY },
		{ "//json-schema.org/draft-07/schema", DIALECT_OLD },
		{ "//json-schema.org/draft-06/schema", DIALECT_OLD },
	};
	if (!keyword_read_text(compiler, node, rule))
		return false;
	if (node->source != compiler->root)
		return compiler_refuse(compiler, rule->given, "may stand only in the whole schema");
	struct datum text = value_characters(compiler->arena, rule->given);
	const char *at = memchr(text.text, ':', text.size);
	size_t size = at ? (size_t)(text.text + text.size - ++at) : 0;
	size -= size && at[size - 1] == '#';
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (size == strlen(known[i].place) && memcmp(at, known[i].place, size) == 0) {
			compiler->dialect = known[i].dialect;
			return true;
		}
	return compiler_refuse(compiler, rule->given,
		"must be draft 2020-12, 2019-09, draft-07 or draft-06");
}
