/* stored_json.c - JSON columns, parsed again where the reference does so */
#include "handlers/core/stored_json.h"

#include "handlers/core/reply.h"
#include "schemas/json/check.h"
#include "schemas/json/json.h"

/* Does the JSON string hold JSON itself? *held becomes its characters, either way. */
static bool stored_json_in_string(struct arena *arena, struct json string, struct datum *held)
{
	*held = json_unquote(arena, string);
	return json_check(held->text, held->size, JSON_DEPTH_MAXIMUM).verdict == JSON_VALID;
}

bool stored_json_ok(struct context *ctx, struct call *call, const struct datum *value,
	const char *path)
{
	struct json json = json_of(value);
	struct datum held;

	if (json_kind(json) != JSON_STRING_KIND || json_is_falsy(json) ||
		stored_json_in_string(ctx->arena, json, &held))
		return true;
	call_fail_at(ctx, call, "INVALID_METADATA", path,
		"must be an object: text that is not JSON can't be read back");
	return false;
}

struct datum stored_json(struct arena *arena, const struct datum *value)
{
	struct datum inner = *value;

	if (datum_is_null(value))
		return *value;
	if (json_kind(json_of(value)) == JSON_STRING_KIND &&
		!stored_json_in_string(arena, json_of(value), &inner))
		return *value;
	return json_kind(json_of(&inner)) == JSON_NULL_KIND ? datum_null() : inner;
}

static void stored_json_read_fields(struct context *ctx, const struct type *type,
	struct datum *fields)
{
	for (size_t i = 0; i < type->field_count; i++) {
		const struct type *field = type->fields[i].type;
		if (field->logical != LOGICAL_JSON || datum_is_null(&fields[i]))
			continue;
		fields[i] = stored_json(ctx->arena, &fields[i]);
		if (datum_is_null(&fields[i]) && !field->nullable)
			fields[i] = datum_string("null");
	}
}

struct datum stored_value(struct context *ctx, const struct rows *rows, const struct type *type)
{
	struct datum value = reply_value(ctx, rows, type);

	return type->logical == LOGICAL_JSON ? stored_json(ctx->arena, &value) : value;
}

struct datum stored_row(struct context *ctx, const struct rows *rows, int row,
	const struct type *type)
{
	struct datum record = reply_row(ctx, rows, row, type);

	stored_json_read_fields(ctx, type, record.items);
	return record;
}

struct datum stored_rows(struct context *ctx, const struct rows *rows, const struct type *type)
{
	struct datum items = reply_rows(ctx, rows, type);

	for (uint32_t i = 0; i < items.size && type->kind == TYPE_RECORD; i++)
		stored_json_read_fields(ctx, type, items.items[i].items);
	return items;
}

struct datum stored_map(struct context *ctx, const struct rows *rows, const struct type *type)
{
	struct datum records = stored_rows(ctx, rows, type);
	struct datum *pairs = arena_calloc(ctx->arena, 2 * (size_t)records.size + 1,
		sizeof(*pairs));

	for (uint32_t i = 0; i < records.size; i++) {
		size_t len = 0;
		const char *key = rows_text(rows, (int)i, 0, &len);
		pairs[2 * i] = datum_text(key, (uint32_t)len);
		pairs[2 * i + 1] = records.items[i];
	}
	return datum_map(pairs, records.size);
}
