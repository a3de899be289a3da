/* reply.c - rows of a statement as records of a reply's type, and the error of a missing row */
#include "handlers/core/reply.h"

#include <string.h>

#include "handlers/core/binding.h"
#include "handlers/core/datum_json.h"
#include "schemas/json/json.h"

static struct datum reply_texts(struct context *ctx, const struct rows *rows, int row, int column)
{
	struct rows_texts iter;
	int count = rows_texts(rows, row, column, &iter);
	struct datum *items = arena_calloc(ctx->arena, (size_t)count + 1, sizeof(*items));

	for (int i = 0; i < count; i++) {
		size_t len = 0;
		const char *text = rows_texts_next(&iter, &len);
		items[i] = text ? datum_text(text, (uint32_t)len) : datum_null();
	}
	return datum_array(items, (uint32_t)count);
}

static struct datum reply_text(const struct rows *rows, int row, int column)
{
	size_t len = 0;
	const char *text = rows_text(rows, row, column, &len);
	return datum_text(text, (uint32_t)len);
}

static struct datum reply_bytes(const struct rows *rows, int row, int column)
{
	size_t len = 0;
	const char *bytes = rows_bytes(rows, row, column, &len);
	return datum_text(bytes, (uint32_t)len);
}

/* Converts between integer and real as the field's type needs: count(*) may fill a double. */
static struct datum reply_number(const struct rows *rows, int row, int column, enum rows_kind kind,
	const struct type *type)
{
	bool real = type->kind == TYPE_FLOAT || type->kind == TYPE_DOUBLE;

	if (kind == ROWS_INTEGER) {
		int64_t value = rows_integer(rows, row, column);
		return real ? datum_real((double)value) : datum_integer(value);
	}
	double value = rows_real(rows, row, column);
	return real ? datum_real(value) : datum_integer((int64_t)value);
}

static struct datum reply_column(struct context *ctx, const struct rows *rows, int row, int column,
	const struct type *type)
{
	if (rows_null(rows, row, column))
		return datum_null();
	enum rows_kind kind = rows_kind(rows, column);
	switch (kind) {
	case ROWS_BOOL:
		return datum_boolean(rows_bool(rows, row, column));
	case ROWS_INTEGER:
	case ROWS_REAL:
		return reply_number(rows, row, column, kind, type);
	case ROWS_TIME:
		return datum_integer(rows_time_ms(rows, row, column));
	case ROWS_BYTES:
		return reply_bytes(rows, row, column);
	case ROWS_TEXTS:
		return reply_texts(ctx, rows, row, column);
	case ROWS_TEXT:
	case ROWS_OTHER:
		break;
	}
	struct datum text = reply_text(rows, row, column);
	bool declared = type->item || type->kind == TYPE_RECORD;
	return declared ? datum_from_json(ctx->arena, type, json_of(&text)) : text;
}

/* The column of each field of `type`, -1 for none. Looked up once for all rows. */
static const int *reply_column_map(struct context *ctx, const struct rows *rows,
	const struct type *type)
{
	int *map = arena_alloc(ctx->arena, (type->field_count + 1) * sizeof(*map));

	for (size_t i = 0; i < type->field_count; i++)
		map[i] = rows_column(rows, type->fields[i].name);
	return map;
}

static struct datum reply_mapped_row(struct context *ctx, const struct rows *rows, int row,
	const struct type *type, const int *map)
{
	struct datum *fields = arena_calloc(ctx->arena, type->field_count + 1, sizeof(*fields));

	for (size_t i = 0; i < type->field_count; i++)
		if (map[i] >= 0)
			fields[i] = reply_column(ctx, rows, row, map[i], type->fields[i].type);
	return datum_record(fields, (uint32_t)type->field_count);
}

struct datum reply_row(struct context *ctx, const struct rows *rows, int row,
	const struct type *type)
{
	return reply_mapped_row(ctx, rows, row, type, reply_column_map(ctx, rows, type));
}

struct datum reply_rows(struct context *ctx, const struct rows *rows, const struct type *type)
{
	int count = rows_count(rows);
	bool records = type->kind == TYPE_RECORD;
	const int *map = records ? reply_column_map(ctx, rows, type) : NULL;
	struct datum *items = arena_calloc(ctx->arena, (size_t)count + 1, sizeof(*items));

	for (int i = 0; i < count; i++)
		items[i] = records ? reply_mapped_row(ctx, rows, i, type, map)
				   : reply_column(ctx, rows, i, 0, type);
	return datum_array(items, (uint32_t)count);
}

struct datum reply_value(struct context *ctx, const struct rows *rows, const struct type *type)
{
	return rows_count(rows) ? reply_column(ctx, rows, 0, 0, type) : datum_null();
}

const struct type *reply_result_type(const struct call *call)
{
	return call->reply_type->fields[0].type;
}

/* Appends the field's value to the message, and as a member to the error's details. */
static void reply_named_field(struct call *call, const char *path, struct json_text *message,
	struct json_text *details)
{
	const struct datum *value = binding_path(call, path, NULL);

	if (!value || value->kind != DATUM_TEXT)
		return;
	json_text_add(message, value->text, value->size);
	json_text_key(details, path, strlen(path));
	json_text_string(details, value->text, value->size);
}

void reply_failure(struct context *ctx, struct call *call, enum failure_category category,
	const char *code, const char *at, const char *details)
{
	struct json_text message = json_text_new(ctx->arena);
	struct json_text named = json_text_new(ctx->arena);

	json_text_add(&named, "{", 1);
	while (*at) {
		size_t len = strcspn(at, "{");
		json_text_add(&message, at, len);
		at += len;
		if (!*at)
			break;
		len = strcspn(++at, "}");
		reply_named_field(call, arena_copy(ctx->arena, at, len), &message, &named);
		at += len + (at[len] == '}');
	}
	json_text_add(&named, "}", 1);
	json_text_add(&message, "", 1);
	json_text_add(&named, "", 1);
	call_fail(ctx, call, category, code, details ? details : named.bytes, "%s", message.bytes);
}

void reply_missing(struct context *ctx, struct call *call)
{
	reply_failure(ctx, call, FAILURE_NOT_FOUND, call->command->missing_code,
		call->command->missing_message, NULL);
}
