/*
 * fit.h - do items fit the JSON Schemas of their dataset?
 *
 * Everything is in the context's arena. Executor's thread only, as context.h.
 */
#ifndef HANDLERS_DOMAINS_DATASETS_FIT_H
#define HANDLERS_DOMAINS_DATASETS_FIT_H

#include <stdbool.h>

#include "handlers/core/context.h"
#include "schemas/json/json.h"
#include "schemas/json_schema/json_schema.h"

/* The fields of an item that have a schema. */
enum fit_field { FIT_INPUT, FIT_GROUND_TRUTH, FIT_FIELDS };

/* "input" or "groundTruth". Static. */
const char *fit_field_name(enum fit_field field);

/* The schemas of a dataset; NULL: every value fits. */
struct fit {
	const struct json_schema *schemas[FIT_FIELDS];
};

/* Compiles the schemas, each of which may be null. False: the call has failed with INVALID. */
bool fit_compile(struct context *ctx, struct call *call, const struct datum *input_schema,
	const struct datum *truth_schema, struct fit *out) __attribute__((warn_unused_result));

/* Compiles the schemas in the columns inputSchema and groundTruthSchema of the first row. */
bool fit_compile_row(struct context *ctx, struct call *call, const struct rows *rows,
	struct fit *out) __attribute__((warn_unused_result));

/* Checks a value by the field's schema. Returns how many of the problems are set; 0: it fits. */
size_t fit_check(struct context *ctx, const struct fit *fit, enum fit_field field,
	struct json value, struct json_schema_problem problems[JSON_SCHEMA_PROBLEMS]);

/* Adds {"field": ..., "errors": [{"path", "code", "message"}, ...]} without its last brace. */
void fit_describe(struct json_text *out, enum fit_field field,
	const struct json_schema_problem *problems, size_t count);

#endif
