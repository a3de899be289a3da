/* read.c - compiles the values of keywords */
#include <string.h>

#include "schemas/json_schema/compiler.h"

/* --- schemas --- */

static void read_allocate(struct compiler *compiler, struct rule *rule, uint32_t count)
{
	rule->nodes = arena_calloc(compiler->arena, (size_t)count + 1, sizeof(*rule->nodes));
	rule->node_count = count;
}

bool keyword_read_schema(struct compiler *compiler, struct node *node, struct rule *rule)
{
	(void)node;
	read_allocate(compiler, rule, 1);
	rule->nodes[0] = compiler_node(compiler, rule->given);
	return true;
}

static void read_each(struct compiler *compiler, struct rule *rule)
{
	read_allocate(compiler, rule, rule->given->count);
	for (uint32_t i = 0; i < rule->given->count; i++)
		rule->nodes[i] = compiler_node(compiler, rule->given->items[i]);
}

bool keyword_read_schemas(struct compiler *compiler, struct node *node, struct rule *rule)
{
	(void)node;
	if (rule->given->kind != JSON_ARRAY_KIND || !rule->given->count)
		return compiler_refuse(compiler, rule->given, "must be a list of schemas");
	read_each(compiler, rule);
	return true;
}

bool keyword_read_definitions(struct compiler *compiler, struct node *node, struct rule *rule)
{
	(void)node;
	if (rule->given->kind != JSON_OBJECT_KIND)
		return compiler_refuse(compiler, rule->given, "must be an object of schemas");
	read_each(compiler, rule);
	return true;
}

bool keyword_read_properties(struct compiler *compiler, struct node *node, struct rule *rule)
{
	node->properties = rule;
	return keyword_read_definitions(compiler, node, rule);
}

bool keyword_read_prefix(struct compiler *compiler, struct node *node, struct rule *rule)
{
	node->prefix = rule;
	return keyword_read_schemas(compiler, node, rule);
}

/* A list means in older drafts what prefixItems means now. */
bool keyword_read_items(struct compiler *compiler, struct node *node, struct rule *rule)
{
	if (rule->given->kind != JSON_ARRAY_KIND)
		return keyword_read_schema(compiler, node, rule);
	if (compiler->dialect == DIALECT_NEWEST ||
		value_member(node->source, "prefixItems", strlen("prefixItems")))
		return compiler_refuse(compiler, rule->given,
			"is a list: use prefixItems for the schemas of single items");
	rule->keyword = keyword_find("prefixItems", strlen("prefixItems"));
	read_each(compiler, rule);
	return true;
}

static bool read_pattern(struct compiler *compiler, const struct value *at,
	const struct datum *source, const struct pattern **pattern)
{
	const char *why;

	*pattern = pattern_compile(compiler->arena, source, &why);
	return *pattern || compiler_refuse(compiler, at, why);
}

bool keyword_read_patterns(struct compiler *compiler, struct node *node, struct rule *rule)
{
	if (!keyword_read_definitions(compiler, node, rule))
		return false;
	rule->patterns = arena_calloc(compiler->arena, (size_t)rule->node_count + 1,
		sizeof(const struct pattern *));
	for (uint32_t i = 0; i < rule->node_count; i++) {
		const struct value *member = rule->given->items[i];
		struct datum source = datum_text(member->name, member->name_size);
		if (!read_pattern(compiler, member, &source, &rule->patterns[i]))
			return false;
	}
	node->patterns = rule;
	return true;
}

/* --- numbers --- */

bool keyword_read_number(struct compiler *compiler, struct node *node, struct rule *rule)
{
	(void)node;
	if (rule->given->kind != JSON_NUMBER_KIND)
		return compiler_refuse(compiler, rule->given, "must be a number");
	rule->number = number_read(rule->given->text, rule->given->size);
	return true;
}

bool keyword_read_divisor(struct compiler *compiler, struct node *node, struct rule *rule)
{
	if (!keyword_read_number(compiler, node, rule))
		return false;
	if (rule->number.negative || !rule->number.count)
		return compiler_refuse(compiler, rule->given, "must be more than 0");
	if (rule->number.count > NUMBER_DIVISOR_DIGITS)
		return compiler_refuse(compiler, rule->given, "has more than 18 digits");
	return true;
}

/* A count; huge ones are as good as this one. */
#define COUNT_LIMIT UINT64_C(1000000000000000000)

bool keyword_read_count(struct compiler *compiler, struct node *node, struct rule *rule)
{
	if (!keyword_read_number(compiler, node, rule))
		return false;
	struct number number = rule->number, limit = number_read("1e18", strlen("1e18"));
	if (number.negative || !number_is_integer(number))
		return compiler_refuse(compiler, rule->given, "must be an integer from 0 on");
	rule->count = number_compare(number, limit) >= 0 ? COUNT_LIMIT : number_integer(number);
	return true;
}

/* --- words --- */

static const struct kind_name {
	const char *name;
	unsigned kinds;
} kind_names[] = {
	{ "object", KIND(JSON_OBJECT_KIND) },
	{ "array", KIND(JSON_ARRAY_KIND) },
	{ "string", KIND(JSON_STRING_KIND) },
	{ "number", KIND(JSON_NUMBER_KIND) },
	{ "integer", KIND_INTEGER },
	{ "boolean", KIND_BOOLEAN },
	{ "null", KIND(JSON_NULL_KIND) },
};

static bool read_kind(struct compiler *compiler, struct rule *rule, const struct value *name)
{
	struct json text = { name->text, name->size };

	for (size_t i = 0; i < sizeof(kind_names) / sizeof(*kind_names); i++)
		if (name->kind == JSON_STRING_KIND && json_spells(text, kind_names[i].name)) {
			rule->kinds |= kind_names[i].kinds;
			return true;
		}
	return compiler_refuse(compiler, name,
		"must be one of object, array, string, number, integer, boolean, null");
}

bool keyword_read_kinds(struct compiler *compiler, struct node *node, struct rule *rule)
{
	const struct value *given = rule->given;

	(void)node;
	rule->kinds = 0;
	if (given->kind != JSON_ARRAY_KIND)
		return read_kind(compiler, rule, given);
	for (uint32_t i = 0; i < given->count; i++)
		if (!read_kind(compiler, rule, given->items[i]))
			return false;
	return given->count || compiler_refuse(compiler, given, "must name at least one type");
}

bool keyword_read_names(struct compiler *compiler, struct node *node, struct rule *rule)
{
	const struct value *given = rule->given;
	struct datum *names = arena_calloc(compiler->arena, (size_t)given->count + 1,
		sizeof(*names));

	(void)node;
	if (given->kind != JSON_ARRAY_KIND)
		return compiler_refuse(compiler, given, "must be a list of names");
	for (uint32_t i = 0; i < given->count; i++) {
		if (given->items[i]->kind != JSON_STRING_KIND)
			return compiler_refuse(compiler, given->items[i], "must be a string");
		names[i] = value_characters(compiler->arena, given->items[i]);
	}
	rule->names = names;
	return true;
}

bool keyword_read_pattern(struct compiler *compiler, struct node *node, struct rule *rule)
{
	if (!keyword_read_text(compiler, node, rule))
		return false;
	struct datum source = value_characters(compiler->arena, rule->given);
	rule->patterns = arena_calloc(compiler->arena, 1, sizeof(const struct pattern *));
	return read_pattern(compiler, rule->given, &source, rule->patterns);
}

bool keyword_read_format(struct compiler *compiler, struct node *node, struct rule *rule)
{
	if (!keyword_read_text(compiler, node, rule))
		return false;
	struct datum name = value_characters(compiler->arena, rule->given);
	rule->format = format_find(name.text, name.size);
	return rule->format ||
		compiler_refuse(compiler, rule->given,
			arena_printf(compiler->arena,
				"is a format that is not supported: use one of %s",
				format_names()));
}

/* --- values that only have to have a kind --- */

bool keyword_read_enum(struct compiler *compiler, struct node *node, struct rule *rule)
{
	(void)node;
	return rule->given->kind == JSON_ARRAY_KIND ||
		compiler_refuse(compiler, rule->given, "must be a list of values");
}

bool keyword_read_any(struct compiler *compiler, struct node *node, struct rule *rule)
{
	(void)compiler;
	(void)node;
	(void)rule;
	return true;
}

bool keyword_read_text(struct compiler *compiler, struct node *node, struct rule *rule)
{
	(void)node;
	return rule->given->kind == JSON_STRING_KIND ||
		compiler_refuse(compiler, rule->given, "must be a string");
}

bool keyword_read_flag(struct compiler *compiler, struct node *node, struct rule *rule)
{
	(void)node;
	return (KIND(rule->given->kind) & KIND_BOOLEAN) ||
		compiler_refuse(compiler, rule->given, "must be true or false");
}

bool keyword_read_nullable(struct compiler *compiler, struct node *node, struct rule *rule)
{
	node->nullable = rule->given->kind == JSON_TRUE_KIND;
	return keyword_read_flag(compiler, node, rule);
}
