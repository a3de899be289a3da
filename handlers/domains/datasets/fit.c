/* fit.c - refuses datasets with a schema: nothing here judges items yet */
#include "handlers/domains/datasets/fit.h"

#include "schemas/json/json.h"

static bool fit_is_none(const struct datum *schema)
{
	return datum_is_null(schema) || json_kind(json_of(schema)) == JSON_NULL_KIND;
}

bool fit_read(struct context *ctx, struct call *call, const struct datum *input_schema,
	const struct datum *truth_schema)
{
	if (fit_is_none(input_schema) && fit_is_none(truth_schema))
		return true;
	call_fail(ctx, call, FAILURE_UNSUPPORTED, "DATASET_SCHEMA_UNSUPPORTED", NULL,
		"a dataset with an inputSchema or a groundTruthSchema is not supported yet");
	return false;
}

struct datum fit_column(const struct rows *rows, const char *name)
{
	int column = rows_column(rows, name);
	size_t size;

	if (rows_null(rows, 0, column))
		return datum_null();
	const char *text = rows_text(rows, 0, column, &size);
	return datum_text(text, (uint32_t)size);
}
