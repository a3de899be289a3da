/*
 * schema_table.h - the commands' schemas as they were built in
 *
 * Made at build time by handlers/generate/commands.py from schemas/<domain>/<Method>.avsc. Each text is
 * a complete schema that needs no other. Constant.
 */
#ifndef SCHEMAS_CATALOG_SCHEMA_TABLE_H
#define SCHEMAS_CATALOG_SCHEMA_TABLE_H

#include <stddef.h>

struct schema_def {
	const char *command; /* "memory.saveThread" */
	const char *request; /* JSON text of mastra.memory.SaveThread */
	const char *reply;   /* JSON text of mastra.memory.SaveThreadReply */
};

/* A request's schema of an earlier release. */
struct history_def {
	const char *name; /* the record's full name, "mastra.memory.SaveThread" */
	const char *text;
};

/* In strcmp order of the commands' names: the same index as command_defs. */
extern const struct schema_def schema_defs[];
extern const size_t schema_count;
extern const struct history_def history_defs[];
extern const size_t history_count;

/* JSON text of mastra.Error. */
extern const char schema_error[];

#endif
