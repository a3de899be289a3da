/*
 * compiler.h - what compiles the keywords of a schema share
 *
 * Every function that returns bool returns false once the schema has its fault.
 */
#ifndef SCHEMAS_JSON_SCHEMA_COMPILER_H
#define SCHEMAS_JSON_SCHEMA_COMPILER_H

#include "schemas/json_schema/node.h"

/* Drafts whose rules differ. */
enum dialect {
	DIALECT_ANY,    /* $schema is not given, or 2019-09 */
	DIALECT_OLD,    /* draft-07 and draft-06: $ref replaces the keywords beside it */
	DIALECT_NEWEST, /* 2020-12: `items` is no list */
};

struct compiler {
	struct arena *arena;
	struct value *root;
	struct node *first, *last; /* all nodes */
	enum dialect dialect;
	struct json_schema_fault *fault;
};

/* Refuses the schema for what stands at `at`. Returns false. */
bool compiler_refuse(struct compiler *compiler, const struct value *at, const char *why);

/* The node of the schema at `source`, which is compiled later. */
struct node *compiler_node(struct compiler *compiler, struct value *source);

read_fn keyword_read_kinds, keyword_read_schema, keyword_read_schemas, keyword_read_properties,
	keyword_read_patterns, keyword_read_definitions, keyword_read_items, keyword_read_prefix,
	keyword_read_count, keyword_read_number, keyword_read_divisor, keyword_read_enum,
	keyword_read_any, keyword_read_text, keyword_read_flag, keyword_read_nullable,
	keyword_read_names, keyword_read_pattern, keyword_read_format, keyword_read_reference,
	keyword_read_dialect;

#endif
