/* declared.c - checks, parameters, errors and results by a command's declaration */
#include "handlers/core/declared.h"

#include <string.h>

#include "handlers/core/choice.h"
#include "handlers/core/datum_json.h"
#include "handlers/core/reply.h"
#include "handlers/core/stored_json.h"

/* --- before the statements --- */

static bool declared_word_ok(struct context *ctx, struct call *call,
	const struct choice_def *choice)
{
	const struct datum *value = binding_path(call, choice->path, NULL);

	if (!value || value->kind != DATUM_ARRAY)
		return choice_ok(ctx, call, value, choice->words, choice->code, choice->path);
	for (uint32_t i = 0; i < value->size; i++)
		if (!choice_ok(ctx, call, &value->items[i], choice->words, choice->code,
			    choice->path))
			return false;
	return true;
}

bool declared_words_ok(struct context *ctx, struct call *call)
{
	const struct choice_def *choice = call->command->choices;

	for (; choice && choice->path; choice++)
		if (!declared_word_ok(ctx, call, choice))
			return false;
	return true;
}

bool declared_value(struct context *ctx, struct call *call, const struct param_def *param,
	const struct binding_type *type, struct datum *out)
{
	const struct type *declared;
	const struct datum *value = binding_path(call, param->path, &declared);
	struct datum json;

	if (value && (value->kind == DATUM_ARRAY || value->kind == DATUM_RECORD) &&
		strcmp(param->type, "jsonb") == 0) {
		json = datum_to_json(ctx->arena, declared, value);
		value = &json;
	}
	return binding_check(ctx, call, type, value, param->path, out);
}

static bool declared_bind_one(struct context *ctx, struct call *call, const struct param_def *param,
	const struct paging *paging)
{
	const struct binding_type *type = binding_type(param->type);
	struct datum value;

	if (strcmp(param->path, "@now") == 0)
		params_timestamp_us(ctx->params, call->now_us);
	else if (strcmp(param->path, "@limit") == 0)
		bind_limit(ctx->params, paging);
	else if (strcmp(param->path, "@offset") == 0)
		params_int8(ctx->params, paging->offset);
	else if (declared_value(ctx, call, param, type, &value))
		binding_append(ctx->params, type, &value);
	else
		return false;
	return true;
}

bool declared_bind(struct context *ctx, struct call *call, int statement,
	const struct paging *paging)
{
	const struct statement_def *def = &statement_defs[statement];

	for (int i = 0; i < def->param_count; i++) {
		if (!declared_bind_one(ctx, call, &def->params[i], paging)) {
			params_reset(ctx->params);
			return false;
		}
	}
	return true;
}

/* --- after them --- */

static const struct error_def *declared_error(const struct call *call, const char *code,
	size_t size)
{
	const struct error_def *error = call->command->errors;

	while (error && error->code &&
		(strlen(error->code) != size || memcmp(error->code, code, size) != 0))
		error++;
	return error && error->code ? error : NULL;
}

/* The row's column `details`, if the statement has one. */
static const char *declared_details(struct context *ctx, const struct rows *rows, int row)
{
	int column = rows_column(rows, "details");
	size_t size;

	if (column < 0 || rows_null(rows, row, column))
		return NULL;
	const char *details = rows_text(rows, row, column, &size);
	return arena_copy(ctx->arena, details, size);
}

bool declared_failed(struct context *ctx, struct call *call, const struct rows *rows, int row)
{
	size_t size;

	if (!call->command->errors)
		return false;
	int column = rows_column(rows, "@error");
	if (column < 0)
		column = rows_column(rows, "error");
	if (column < 0 || rows_null(rows, row, column))
		return false;
	const char *code = rows_text(rows, row, column, &size);
	const struct error_def *error = declared_error(call, code, size);
	if (error)
		reply_failure(ctx, call, error->category, error->code, error->message,
			declared_details(ctx, rows, row));
	else
		call_fail(ctx, call, FAILURE_INTERNAL, "INTERNAL", NULL,
			"%s reports an error that it does not declare (a defect of stowage)",
			call->command->name);
	return true;
}

static bool declared_found_nothing(const struct rows *rows, int count)
{
	return rows_columns(rows) > 0 ? count == 0 : rows_affected(rows) == 0;
}

void declared_reply(struct context *ctx, struct call *call, const struct rows *rows, int row,
	int count)
{
	const struct type *type = reply_result_type(call);

	if (call->command->missing_code && declared_found_nothing(rows, count)) {
		reply_missing(ctx, call);
		return;
	}
	if (count && declared_failed(ctx, call, rows, row))
		return;
	switch (call->command->shape) {
	case REPLY_ROW:
		if (count)
			call_reply(ctx, call, stored_row(ctx, rows, row, type));
		else
			call_reply_null(ctx, call);
		return;
	case REPLY_ROWS:
		call_reply(ctx, call, stored_rows(ctx, rows, type->item));
		return;
	case REPLY_MAP:
		call_reply(ctx, call, stored_map(ctx, rows, type->item));
		return;
	case REPLY_VALUE:
		call_reply(ctx, call, stored_value(ctx, rows, type));
		return;
	case REPLY_NONE:
	case REPLY_PAGE:
	case REPLY_CUSTOM:
		break;
	}
	call_reply_null(ctx, call);
}
