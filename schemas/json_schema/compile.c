/* compile.c - compiles a schema node by node, without recursion, then looks for loops of references */
#include <string.h>

#include "schemas/json/check.h"
#include "schemas/json_schema/compiler.h"

#define SCHEMA_DEPTH 64 /* nested objects and arrays of a schema */
#define CHAIN_DEPTH 64  /* schemas that apply to one value, each because of the one before */

/* The index of an item in its array. */
static uint32_t compile_index(const struct value *item)
{
	uint32_t index = 0;

	while (item->parent->items[index] != item)
		index++;
	return index;
}

static const char *compile_path(struct arena *arena, const struct value *at)
{
	const char *path = "";

	for (; at->parent; at = at->parent)
		path = at->parent->kind == JSON_OBJECT_KIND
			? arena_printf(arena, "/%.*s%s", (int)at->name_size, at->name, path)
			: arena_printf(arena, "/%u%s", compile_index(at), path);
	return *path ? path : "/";
}

bool compiler_refuse(struct compiler *compiler, const struct value *at, const char *why)
{
	*compiler->fault = (struct json_schema_fault){ compile_path(compiler->arena, at), why };
	return false;
}

struct node *compiler_node(struct compiler *compiler, struct value *source)
{
	if (source->node)
		return source->node;
	struct node *node = arena_calloc(compiler->arena, 1, sizeof(*node));
	node->source = source;
	if (compiler->last)
		compiler->last->next = node;
	else
		compiler->first = node;
	compiler->last = source->node = node;
	return node;
}

static bool compile_keyword(struct compiler *compiler, struct node *node, struct value *given)
{
	struct rule *rule = &node->rules[node->rule_count];

	rule->keyword = keyword_find(given->name, given->name_size);
	rule->given = given;
	if (!rule->keyword)
		return compiler_refuse(compiler, given, "is a keyword that is not supported");
	if (!rule->keyword->read(compiler, node, rule))
		return false;
	node->rule_count += rule->keyword->judge != NULL;
	return true;
}

static bool compile_node(struct compiler *compiler, struct node *node)
{
	const struct value *source = node->source;

	node->never = source->kind == JSON_FALSE_KIND;
	if (node->never || source->kind == JSON_TRUE_KIND)
		return true;
	if (source->kind != JSON_OBJECT_KIND)
		return compiler_refuse(compiler, source,
			"must be a schema: an object or a boolean");
	node->rules = arena_calloc(compiler->arena, (size_t)source->count + 1,
		sizeof(*node->rules));
	for (uint32_t i = 0; i < source->count; i++)
		if (!compile_keyword(compiler, node, source->items[i]))
			return false;
	if (compiler->dialect == DIALECT_OLD && node->rule_count > 1 &&
		value_member(source, "$ref", strlen("$ref")))
		return compiler_refuse(compiler, source,
			"has keywords beside $ref, which the draft in $schema ignores");
	return true;
}

static bool compile_walk(struct compiler *compiler, struct node *node, unsigned depth);

static bool compile_walk_rule(struct compiler *compiler, const struct rule *rule, unsigned depth)
{
	for (uint32_t i = 0; rule->keyword->in_place && i < rule->node_count; i++)
		if (!compile_walk(compiler, rule->nodes[i], depth + 1))
			return false;
	return true;
}

/* Refuses schemas that would apply to one value for ever. Recurses up to CHAIN_DEPTH. */
static bool compile_walk(struct compiler *compiler, struct node *node, unsigned depth)
{
	if (node->walk == NODE_DONE)
		return true;
	if (node->walk == NODE_OPEN)
		return compiler_refuse(compiler, node->source, "refers to itself without an end");
	if (depth > CHAIN_DEPTH)
		return compiler_refuse(compiler, node->source,
			"is reached by a chain of more than 64 schemas");
	node->walk = NODE_OPEN;
	for (uint32_t i = 0; i < node->rule_count; i++)
		if (!compile_walk_rule(compiler, &node->rules[i], depth))
			return false;
	node->walk = NODE_DONE;
	return true;
}

static bool compile_all(struct compiler *compiler)
{
	if (compiler->root->kind != JSON_OBJECT_KIND)
		return compiler_refuse(compiler, compiler->root, "must be an object");
	for (struct node *node = compiler_node(compiler, compiler->root); node; node = node->next)
		if (!compile_node(compiler, node))
			return false;
	for (struct node *node = compiler->first; node; node = node->next)
		if (!compile_walk(compiler, node, 0))
			return false;
	return true;
}

const struct json_schema *json_schema_compile(struct arena *arena, struct json text,
	struct json_schema_fault *fault)
{
	struct compiler compiler = { .arena = arena, .fault = fault };
	struct json_schema *schema = arena_calloc(arena, 1, sizeof(*schema));

	if (json_check(text.text, text.len, SCHEMA_DEPTH).verdict != JSON_VALID) {
		*fault = (struct json_schema_fault){ "/", "is nested deeper than 64 levels" };
		return NULL;
	}
	compiler.root = value_read(arena, text);
	if (!compile_all(&compiler))
		return NULL;
	schema->root = compiler.first;
	return schema;
}
