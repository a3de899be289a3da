/*
 * json_schema.h - JSON Schema: compiles a schema, and checks values by it
 *
 * Supports the keywords in keywords.c with the meaning of draft 2020-12, and OpenAPI's `nullable`: null fits a
 * schema with "nullable": true. `format` is checked for the formats in format.c. `items` may be a list, as in
 * older drafts, unless $schema names draft 2020-12. A schema that uses anything else is refused, so no rule
 * of it is ever ignored.
 *
 * `pattern` is a JavaScript regular expression that PCRE2 runs, with a limit for each match. The nesting of a
 * schema, the chains of its references, the nesting of a check and its work are limited too. A value that
 * cannot be judged within the limits does not fit.
 *
 * A compiled schema, faults and problems live in the arena. Nothing has to be freed. Threads: no shared state.
 * Source: json-schema.org/draft/2020-12.
 */
#ifndef SCHEMAS_JSON_SCHEMA_JSON_SCHEMA_H
#define SCHEMAS_JSON_SCHEMA_JSON_SCHEMA_H

#include "schemas/base/arena.h"
#include "schemas/json/json.h"

struct json_schema;

/* Why a schema is refused: where in it ("/properties/a"; "/" is the whole), and what is wrong there. */
struct json_schema_fault {
	const char *path;
	const char *why;
};

/* Compiles a schema: valid JSON that repairs nothing, whose bytes outlive the result. NULL: *fault says why. */
const struct json_schema *json_schema_compile(struct arena *arena, struct json text,
	struct json_schema_fault *fault);

/* Where a value does not fit. `code` is Zod's word for the kind of problem, such as "invalid_type". */
struct json_schema_problem {
	const char *path;
	const char *code;
	const char *message;
};

#define JSON_SCHEMA_PROBLEMS 5

/* Checks a value (valid JSON). Returns how many of the problems are set; 0: the value fits. */
size_t json_schema_check(const struct json_schema *schema, struct arena *arena, struct json value,
	struct json_schema_problem problems[JSON_SCHEMA_PROBLEMS]);

#endif
