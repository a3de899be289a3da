/* filter_operator.c - finds each operator's function, and writes $exists, $not and $elemMatch */
#include "handlers/domains/vectors/filter_operator.h"

#include "handlers/domains/vectors/filter_compare.h"
#include "handlers/domains/vectors/filter_logical.h"
#include "handlers/domains/vectors/filter_regex.h"
#include "handlers/domains/vectors/filter_size.h"

static bool filter_operator(struct filter *filter, const struct filter_path *path,
	const struct filter_field *field, struct json key, struct json value,
	const struct filter_siblings *siblings, struct filter_join *join);

static bool filter_operator_exists(struct filter *filter, const struct filter_operation *op)
{
	filter_printf(filter, "%s IS %sNULL", op->field->json,
		filter_is_kind(op->value, JSON_FALSE_KIND) ? "" : "NOT ");
	return true;
}

static bool filter_operator_negation(struct filter *filter, const struct filter_operation *op)
{
	struct filter_join join = { .word = " AND " };

	if (!filter_is_kind(op->value, JSON_OBJECT_KIND))
		return filter_fail(filter, op->path, "$not takes an object");
	filter_puts(filter, "NOT (");
	if (!filter_operators(filter, op->path, op->field, op->value, &join))
		return false;
	filter_puts(filter, ")");
	return join.count || filter_fail(filter, op->path, "the object has no condition");
}

/* A field of an element: a bare value, or operators. */
static bool filter_operator_put_member(struct filter *filter, const struct filter_path *path,
	const char *item, struct datum name, struct json value, struct filter_join *join)
{
	struct filter_field field;
	unsigned before = join->count;

	if (!filter_field(filter, path, item, name.text, &field))
		return false;
	if (!filter_is_kind(value, JSON_OBJECT_KIND))
		return filter_implicit(filter, path, &field, value, join);
	if (!filter_operators(filter, path, &field, value, join))
		return false;
	return join->count > before || filter_fail(filter, path, "the object has no condition");
}

static bool filter_operator_put_members(struct filter *filter, const struct filter_operation *op,
	const char *item)
{
	struct filter_siblings siblings = filter_regex_siblings(filter, op->value);
	struct filter_field element = filter_element(filter, item);
	struct filter_join join = { .word = " AND " };
	struct json_iter iter = json_iter(op->value);
	struct json key, value;

	while (json_next(&iter, &key, &value)) {
		struct filter_path at = filter_member(op->path, key);
		struct datum name;
		if (!filter_text(filter, &at, key, &name))
			return false;
		bool ok = name.size && *name.text == '$'
			? filter_operator(filter, &at, &element, key, value, &siblings, &join)
			: filter_operator_put_member(filter, &at, item, name, value, &join);
		if (!ok)
			return false;
	}
	return join.count || filter_fail(filter, op->path, "the object has no condition");
}

/* An element of the array satisfies all conditions: operators apply to the element itself, other
 * keys to its fields. */
static bool filter_operator_element(struct filter *filter, const struct filter_operation *op)
{
	if (!filter_is_kind(op->value, JSON_OBJECT_KIND))
		return filter_fail(filter, op->path, "$elemMatch takes an object with conditions");
	const char *name = arena_printf(filter->ctx->arena, "item%u", ++filter->items);
	filter_printf(filter,
		"EXISTS (SELECT FROM jsonb_array_elements("
		"CASE jsonb_typeof(%s) WHEN 'array' THEN %s END) AS %s WHERE ",
		op->field->json, op->field->json, name);
	if (!filter_operator_put_members(filter, op, name))
		return false;
	filter_puts(filter, ")");
	return true;
}

/* ---------------------------------------------------------------- the table */

static const struct {
	const char *name;
	filter_operation_fn *fn;
	const char *sql;
} filter_operator_table[] = {
	{ "$eq", filter_compare_equal, "=" },
	{ "$ne", filter_compare_equal, "<>" },
	{ "$gt", filter_compare_ordered, ">" },
	{ "$gte", filter_compare_ordered, ">=" },
	{ "$lt", filter_compare_ordered, "<" },
	{ "$lte", filter_compare_ordered, "<=" },
	{ "$in", filter_compare_in, "" },
	{ "$nin", filter_compare_in, "NOT " },
	{ "$all", filter_compare_all, NULL },
	{ "$contains", filter_compare_contains, NULL },
	{ "$regex", filter_regex, NULL },
	{ "$exists", filter_operator_exists, NULL },
	{ "$size", filter_size, NULL },
	{ "$elemMatch", filter_operator_element, NULL },
	{ "$not", filter_operator_negation, NULL },
};
#define OPERATORS (sizeof(filter_operator_table) / sizeof(filter_operator_table[0]))

static size_t filter_operator_find(struct datum name)
{
	size_t i = 0;

	while (i < OPERATORS && !filter_key_is(name, filter_operator_table[i].name))
		i++;
	return i;
}

bool filter_is_operator(struct datum key)
{
	return filter_operator_find(key) < OPERATORS || filter_key_is(key, "$options");
}

static bool filter_operator_unknown(struct filter *filter, const struct filter_path *path,
	struct datum name)
{
	if (!name.size || *name.text != '$')
		return filter_fail(filter, path,
			"fields can't be mixed with operators (write nested fields with dots)");
	if (filter_logical_find(name))
		return filter_fail(filter, path,
			"a logical operator joins conditions and can't be applied to a field");
	return filter_fail(filter, path, "unknown operator");
}

static bool filter_operator(struct filter *filter, const struct filter_path *path,
	const struct filter_field *field, struct json key, struct json value,
	const struct filter_siblings *siblings, struct filter_join *join)
{
	struct datum name = json_unquote(filter->ctx->arena, key);
	struct filter_operation op = {
		.path = path,
		.field = field,
		.value = value,
		.siblings = siblings,
	};
	size_t i = filter_operator_find(name);

	if (filter_key_is(name, "$options"))
		return filter_count(filter, path) && filter_regex_options_ok(filter, &op);
	if (i == OPERATORS)
		return filter_operator_unknown(filter, path, name);
	op.sql = filter_operator_table[i].sql;
	return filter_next(filter, path, join) && filter_operator_table[i].fn(filter, &op);
}

bool filter_operators(struct filter *filter, const struct filter_path *path,
	const struct filter_field *field, struct json object, struct filter_join *join)
{
	struct filter_siblings siblings = filter_regex_siblings(filter, object);
	struct json_iter iter = json_iter(object);
	struct json key, value;

	while (json_next(&iter, &key, &value)) {
		struct filter_path at = filter_member(path, key);
		if (!filter_operator(filter, &at, field, key, value, &siblings, join))
			return false;
	}
	return true;
}

bool filter_implicit(struct filter *filter, const struct filter_path *path,
	const struct filter_field *field, struct json value, struct filter_join *join)
{
	bool list = filter_is_kind(value, JSON_ARRAY_KIND);
	struct filter_operation op = {
		.path = path,
		.field = field,
		.value = value,
		.sql = list ? "" : "=",
	};

	return filter_next(filter, path, join) &&
		(list ? filter_compare_in(filter, &op) : filter_compare_equal(filter, &op));
}
