/*
 * node.h - a compiled schema: nodes with rules
 *
 * A node is a schema within the document, a rule one of its keywords. Rules refer to nodes, so references
 * may form loops. All of it is in one arena and constant once it is compiled.
 */
#ifndef SCHEMAS_JSON_SCHEMA_NODE_H
#define SCHEMAS_JSON_SCHEMA_NODE_H

#include "schemas/json_schema/format.h"
#include "schemas/json_schema/json_schema.h"
#include "schemas/json_schema/number.h"
#include "schemas/json_schema/pattern.h"
#include "schemas/json_schema/value.h"

/* Bits for the kinds of values. */
#define KIND(kind) (1u << (kind))
#define KIND_BOOLEAN (KIND(JSON_TRUE_KIND) | KIND(JSON_FALSE_KIND))
#define KIND_INTEGER (1u << 16) /* of the keyword `type`: a number without a fraction */
#define KIND_ANY 0xFFFFu

struct compiler;
struct place;
struct rule;
struct run;

/* Compiles the keyword's value. False: the compiler has its fault. */
typedef bool read_fn(struct compiler *compiler, struct node *node, struct rule *rule);
/* Does the value keep the rule of the node? `place` is where the value is. */
typedef bool judge_fn(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place);

struct keyword {
	const char *name;
	read_fn *read;
	judge_fn *judge; /* NULL: values do not depend on it */
	unsigned kinds;  /* of the values that it judges */
	const char *code;
	bool in_place; /* its schemas apply to the same value */
};

/* The keyword of that name; NULL: not supported. */
const struct keyword *keyword_find(const char *name, size_t size);

struct rule {
	const struct keyword *keyword;
	struct value *given;
	struct node **nodes; /* one for each item or member of `given`, or the only one */
	uint32_t node_count;
	union {
		uint64_t count;
		struct number number;
		unsigned kinds;
		format_fn *format;
		const struct datum *names;
		const struct pattern **patterns; /* one for each node, or the only one */
	};
};

struct node {
	struct value *source;
	struct rule *rules;
	uint32_t rule_count;
	bool never;    /* the schema false */
	bool nullable; /* null fits whatever the rules say */
	/* Rules that other rules of the node depend on; NULL: none. */
	const struct rule *properties, *patterns, *prefix;
	struct node *next; /* in the order in which they were found */
	enum { NODE_NEW, NODE_OPEN, NODE_DONE } walk;
};

struct json_schema {
	struct node *root;
};

#endif
