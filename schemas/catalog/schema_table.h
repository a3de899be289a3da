/*
 * schema_table.h - the schemas of the commands, compiled into the program
 *
 * handlers/generate/commands.py generates the table from schemas/domains/<domain>/<Method>.avsc
 * during the build. Each text is a complete schema. Constant.
 */
#ifndef SCHEMAS_CATALOG_SCHEMA_TABLE_H
#define SCHEMAS_CATALOG_SCHEMA_TABLE_H

#include <stddef.h>

struct schema_def {
	const char *command; /* "memory.saveThread" */
	const char *request; /* JSON text of mastra.memory.SaveThread */
	const char *reply;   /* JSON text of mastra.memory.SaveThreadReply */
	const char *
		entry; /* JSON text: what index.json says of it beside names and fingerprints, and with
	                        its own error codes alone */
};

/* The schema of a request of an earlier release. */
struct history_def {
	const char *name; /* the record's full name, "mastra.memory.SaveThread" */
	const char *text;
};

/* In strcmp order of command names: the index is the same as in command_defs. */
extern const struct schema_def schema_defs[];
extern const size_t schema_count;
extern const struct history_def history_defs[];
extern const size_t history_count;

/* JSON text of mastra.Error. The attribute `general` of its field `code` has the codes of all commands. */
extern const char schema_error[];
/* JSON texts of schemas/store.json and schemas/asyncapi.json. */
extern const char schema_store[];
extern const char schema_asyncapi[];

#endif
