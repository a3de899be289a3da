/* filter_size.c - conditions on the length of an array */
#include "handlers/domains/vectors/filter_size.h"

#include <string.h>

static const struct {
	const char *name;
	const char *sql;
} filter_size_comparisons[] = {
	{ "$eq", "=" },
	{ "$ne", "<>" },
	{ "$gt", ">" },
	{ "$gte", ">=" },
	{ "$lt", "<" },
	{ "$lte", "<=" },
};
#define SIZE_COMPARISONS (sizeof(filter_size_comparisons) / sizeof(filter_size_comparisons[0]))

static bool filter_size_put(struct filter *filter, const struct filter_path *path,
	const struct filter_field *field, const char *comparison, struct json value)
{
	const char *number;
	bool is_number;

	if (!filter_value_number(filter, path, value, &number, &is_number))
		return false;
	if (!is_number)
		return filter_fail(filter, path, "$size must be compared with a number");
	filter_printf(filter, "jsonb_array_length(%s) %s %s", field->json, comparison, number);
	return true;
}

static bool filter_size_put_all(struct filter *filter, const struct filter_operation *op)
{
	struct json_iter iter = json_iter(op->value);
	struct filter_join join = { .word = " AND " };
	struct json key, value;

	while (json_next(&iter, &key, &value)) {
		struct filter_path at = filter_member(op->path, key);
		struct datum name = json_unquote(filter->ctx->arena, key);
		size_t i = 0;
		while (i < SIZE_COMPARISONS &&
			!filter_key_is(name, filter_size_comparisons[i].name))
			i++;
		if (i == SIZE_COMPARISONS)
			return filter_fail(filter, &at,
				"$size accepts $eq, $ne, $gt, $gte, $lt and $lte");
		if (!filter_next(filter, &at, &join) ||
			!filter_size_put(filter, &at, op->field, filter_size_comparisons[i].sql,
				value))
			return false;
	}
	return join.count || filter_fail(filter, op->path, "the object has no condition");
}

bool filter_size(struct filter *filter, const struct filter_operation *op)
{
	bool ok = true;

	filter_printf(filter, "CASE jsonb_typeof(%s) WHEN 'array' THEN ", op->field->json);
	if (filter_is_kind(op->value, JSON_NULL_KIND))
		filter_puts(filter, "NULL");
	else if (filter_is_kind(op->value, JSON_OBJECT_KIND))
		ok = filter_size_put_all(filter, op);
	else if (memchr(op->value.text, '.', op->value.len))
		return filter_fail(filter, op->path, "$size must be a whole number");
	else
		ok = filter_size_put(filter, op->path, op->field, "=", op->value);
	filter_puts(filter, " ELSE FALSE END");
	return ok;
}
