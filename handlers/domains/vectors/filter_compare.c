/* filter_compare.c - conditions that compare a field with a value, a list or a part of a text */
#include "handlers/domains/vectors/filter_compare.h"

#include <string.h>

bool filter_compare_equal(struct filter *filter, const struct filter_operation *op)
{
	bool negated = op->sql[0] == '<';
	const char *value;

	if (!filter_value(filter, op->path, op->value, &value))
		return false;
	if (value)
		filter_printf(filter, "%s %s %s", op->field->text, op->sql, value);
	else
		filter_printf(filter, "%s IS %sNULL", op->field->text, negated ? "NOT " : "");
	return true;
}

/* Writes a comparison; NULL for every row if the value is null. The field is written even then:
 * its path may be a parameter, and PostgreSQL requires each parameter to occur in the SQL. */
static void filter_compare_put(struct filter *filter, const struct filter_field *field,
	const char *comparison, const char *value)
{
	filter_printf(filter, "%s %s %s", field->text, comparison, value ? value : "NULL::text");
}

/* A number, also one in a string, compares with numbers only. Other scalars compare as text. */
bool filter_compare_ordered(struct filter *filter, const struct filter_operation *op)
{
	const struct filter_field *field = op->field;
	const char *value;
	bool number;

	if (filter_is_container(op->value))
		return filter_fail(filter, op->path, "the value must be a number or a string");
	if (!filter_value_number(filter, op->path, op->value, &value, &number))
		return false;
	if (number) {
		filter_printf(filter,
			"CASE jsonb_typeof(%s) WHEN 'number' THEN %s::numeric %s %s END",
			field->json, field->json, op->sql, value);
		return true;
	}
	if (!filter_value(filter, op->path, op->value, &value))
		return false;
	filter_compare_put(filter, field, op->sql, value);
	return true;
}

/* ---------------------------------------------------------------- lists */

/* The field equals an item of the list or, if the field is an array, holds one. The condition is
 * written so that an index on the text serves both cases. An array's text begins with [. Where
 * the collation sorts brackets before letters (the planner folds that check into a constant),
 * such texts lie between [ and ]. */
bool filter_compare_in(struct filter *filter, const struct filter_operation *op)
{
	const struct filter_field *field = op->field;
	const char *list;

	if (!filter_list(filter, op->path, op->value, FILTER_NULLS_KEPT, &list))
		return false;
	filter_printf(filter, "%s(%s = ANY(%s) AND jsonb_typeof(%s) <> 'array' OR ", op->sql,
		field->text, list, field->json);
	if (field->indexed)
		filter_printf(filter,
			"(%s >= '[' AND %s < ']' OR"
			" NOT ('[z'::text < ']' AND '[z'::text < ']a')) AND ",
			field->text, field->text);
	filter_printf(filter,
		"EXISTS (SELECT FROM jsonb_array_elements_text("
		"CASE jsonb_typeof(%s) WHEN 'array' THEN %s END) AS item WHERE item = ANY(%s)))",
		field->json, field->json, list);
	return true;
}

/* The field is an array that holds all of the list. A field of another type is asked for strings
 * or keys, as the reference does. */
static void filter_compare_put_all(struct filter *filter, const struct filter_field *field,
	const char *list)
{
	filter_printf(filter,
		"CASE jsonb_typeof(%s) WHEN 'array' THEN"
		" ARRAY(SELECT jsonb_array_elements_text(%s)) @> %s ELSE %s ?& %s END",
		field->json, field->json, list, field->json, list);
}

bool filter_compare_all(struct filter *filter, const struct filter_operation *op)
{
	struct json_iter iter = json_iter(op->value);
	bool array = filter_is_kind(op->value, JSON_ARRAY_KIND);
	const char *list;
	struct json item;

	if (array && !json_next(&iter, NULL, &item)) {
		filter_printf(filter, "(%s IS NULL AND FALSE)", op->field->json);
		return true;
	}
	if (!filter_list(filter, op->path, op->value, FILTER_NULLS_DROPPED, &list))
		return false;
	filter_compare_put_all(filter, op->field, list);
	return true;
}

/* ---------------------------------------------------------------- text */

/* A LIKE pattern for texts that contain `text`, with %, _ and \ escaped. */
static struct json filter_compare_like_pattern(struct arena *arena, struct datum text)
{
	struct json_text out = json_text_new(arena);

	json_text_puts(&out, "%");
	for (uint32_t i = 0; i < text.size; i++) {
		if (strchr("%_\\", text.text[i]))
			json_text_puts(&out, "\\");
		json_text_add(&out, text.text + i, 1);
	}
	json_text_puts(&out, "%");
	return json_text_end(&out);
}

bool filter_compare_contains(struct filter *filter, const struct filter_operation *op)
{
	struct params *params = filter->ctx->params;
	struct datum text;
	const char *value;

	if (filter_is_kind(op->value, JSON_ARRAY_KIND)) {
		if (!filter_list(filter, op->path, op->value, FILTER_NULLS_TEXT, &value))
			return false;
		filter_compare_put_all(filter, op->field, value);
		return true;
	}
	if (filter_is_kind(op->value, JSON_STRING_KIND)) {
		if (!filter_text(filter, op->path, op->value, &text))
			return false;
		struct json pattern = filter_compare_like_pattern(filter->ctx->arena, text);
		params_text(params, pattern.text, pattern.len);
		filter_printf(filter, "%s ILIKE $%d::text", op->field->text, params_count(params));
		return true;
	}
	if (!filter_value(filter, op->path, op->value, &value))
		return false;
	filter_compare_put(filter, op->field, "=", value);
	return true;
}
