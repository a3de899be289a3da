/* fit.c - compiles the schemas of a dataset, checks values by them, describes what does not fit */
#include "handlers/domains/datasets/fit.h"

#include <string.h>

#include "handlers/core/stored_json.h"

static const struct {
	const char *field, *schema;
} fit_names[FIT_FIELDS] = {
	[FIT_INPUT] = { "input", "inputSchema" },
	[FIT_GROUND_TRUTH] = { "groundTruth", "groundTruthSchema" },
};

const char *fit_field_name(enum fit_field field)
{
	return fit_names[field].field;
}

static bool fit_compile_one(struct context *ctx, struct call *call, enum fit_field field,
	const struct datum *schema, struct fit *out)
{
	struct json_schema_fault fault;
	const char *name = fit_names[field].schema;

	out->schemas[field] = NULL;
	if (datum_is_null(schema) || json_kind(json_of(schema)) == JSON_NULL_KIND)
		return true;
	out->schemas[field] = json_schema_compile(ctx->arena, json_of(schema), &fault);
	if (out->schemas[field])
		return true;
	struct json_text details = json_text_new(ctx->arena);
	json_text_puts(&details, "{\"field\":");
	json_text_string(&details, name, strlen(name));
	json_text_puts(&details, ",\"path\":");
	json_text_string(&details, fault.path, strlen(fault.path));
	json_text_puts(&details, "}");
	call_fail(ctx, call, FAILURE_INVALID, "DATASET_SCHEMA_INVALID",
		json_text_end(&details).text, "%s: %s %s", name, fault.path, fault.why);
	return false;
}

bool fit_compile(struct context *ctx, struct call *call, const struct datum *input_schema,
	const struct datum *truth_schema, struct fit *out)
{
	return fit_compile_one(ctx, call, FIT_INPUT, input_schema, out) &&
		fit_compile_one(ctx, call, FIT_GROUND_TRUTH, truth_schema, out);
}

/* The schemas outlive the rows. */
static struct datum fit_column(struct context *ctx, const struct rows *rows, const char *name)
{
	int column = rows_column(rows, name);
	size_t size;

	if (rows_null(rows, 0, column))
		return datum_null();
	const char *text = rows_text(rows, 0, column, &size);
	struct datum schema = datum_text(arena_copy(ctx->arena, text, size), (uint32_t)size);
	return stored_json(ctx->arena, &schema);
}

bool fit_compile_row(struct context *ctx, struct call *call, const struct rows *rows,
	struct fit *out)
{
	struct datum input = fit_column(ctx, rows, fit_names[FIT_INPUT].schema);
	struct datum truth = fit_column(ctx, rows, fit_names[FIT_GROUND_TRUTH].schema);

	return fit_compile(ctx, call, &input, &truth, out);
}

size_t fit_check(struct context *ctx, const struct fit *fit, enum fit_field field,
	struct json value, struct json_schema_problem problems[JSON_SCHEMA_PROBLEMS])
{
	const struct json_schema *schema = fit->schemas[field];

	return schema ? json_schema_check(schema, ctx->arena, value, problems) : 0;
}

static void fit_add_member(struct json_text *out, const char *name, const char *text)
{
	json_text_key(out, name, strlen(name));
	json_text_string(out, text, strlen(text));
}

void fit_describe(struct json_text *out, enum fit_field field,
	const struct json_schema_problem *problems, size_t count)
{
	json_text_puts(out, "{");
	fit_add_member(out, "field", fit_field_name(field));
	json_text_puts(out, ",\"errors\":[");
	for (size_t i = 0; i < count; i++) {
		json_text_puts(out, i ? ",{" : "{");
		fit_add_member(out, "path", problems[i].path);
		fit_add_member(out, "code", problems[i].code);
		fit_add_member(out, "message", problems[i].message);
		json_text_puts(out, "}");
	}
	json_text_puts(out, "]");
}
