/* filter.c - reads a filter's fields and logical operators and writes the condition */
#include "handlers/domains/vectors/filter.h"

#include "handlers/domains/vectors/filter_logical.h"
#include "handlers/domains/vectors/filter_operator.h"

static bool filter_put_object(struct filter *filter, const struct filter_path *path,
	struct json object, struct filter_join *join);

/* ---------------------------------------------------------------- logical operators */

/* Writes an object's conditions in parentheses; there must be at least one. */
static bool filter_put_group(struct filter *filter, const struct filter_path *path,
	struct json object)
{
	struct filter_join join = { .word = " AND " };

	if (!filter_is_kind(object, JSON_OBJECT_KIND))
		return filter_fail(filter, path, "the value must be an object with conditions");
	filter_puts(filter, "(");
	if (!filter_put_object(filter, path, object, &join))
		return false;
	filter_puts(filter, ")");
	return join.count || filter_fail(filter, path, "the object has no condition");
}

static bool filter_put_items(struct filter *filter, const struct filter_path *path,
	const struct filter_logical *logical, struct json array)
{
	struct filter_join join = { .word = logical->word };
	struct json_iter iter = json_iter(array);
	struct json item;

	if (!filter_is_kind(array, JSON_ARRAY_KIND))
		return filter_fail(filter, path, "the value must be an array of conditions");
	while (json_next(&iter, NULL, &item)) {
		struct filter_path at = filter_item(path, join.count);
		if (!filter_next(filter, &at, &join) || !filter_put_group(filter, &at, item))
			return false;
	}
	if (!join.count)
		filter_puts(filter, logical->empty);
	return true;
}

static bool filter_put_logical(struct filter *filter, const struct filter_path *path,
	const struct filter_logical *logical, struct json value, struct filter_join *join)
{
	if (!filter_next(filter, path, join))
		return false;
	filter_puts(filter, logical->opening);
	bool ok = logical->word ? filter_put_items(filter, path, logical, value)
				: filter_put_group(filter, path, value);
	filter_puts(filter, ")");
	return ok;
}

/* ---------------------------------------------------------------- fields */

static bool filter_starts_with_operator(struct filter *filter, struct json object)
{
	struct json_iter iter = json_iter(object);
	struct json key, value;

	if (!json_next(&iter, &key, &value))
		return false;
	struct datum name = json_unquote(filter->ctx->arena, key);
	return name.size && *name.text == '$';
}

/* A field has a value, operators, or an object of nested fields. */
static bool filter_put_field(struct filter *filter, const struct filter_path *path,
	const char *dotted, struct json value, struct filter_join *join)
{
	struct json_iter iter = json_iter(value);
	struct filter_field field;
	struct json key, member;
	struct datum name;

	if (!filter_is_kind(value, JSON_OBJECT_KIND))
		return filter_field(filter, path, NULL, dotted, &field) &&
			filter_implicit(filter, path, &field, value, join);
	if (filter_starts_with_operator(filter, value))
		return filter_field(filter, path, NULL, dotted, &field) &&
			filter_operators(filter, path, &field, value, join);
	/* Each member's name is this name and a suffix, so check the length limit first. */
	if (!filter_count(filter, path) || !filter_field_name_ok(filter, path, dotted))
		return false;
	while (json_next(&iter, &key, &member)) {
		struct filter_path at = filter_member(path, key);
		if (!filter_text(filter, &at, key, &name))
			return false;
		if (name.size && *name.text == '$')
			return filter_fail(filter, &at, "operators can't be mixed with fields");
		const char *longer = arena_printf(filter->ctx->arena, "%s.%s", dotted, name.text);
		if (!filter_put_field(filter, &at, longer, member, join))
			return false;
	}
	return true;
}

static bool filter_put_member(struct filter *filter, const struct filter_path *path,
	struct json key, struct json value, struct filter_join *join)
{
	struct datum name;

	if (!filter_text(filter, path, key, &name))
		return false;
	const struct filter_logical *logical = filter_logical_find(name);
	if (logical)
		return filter_put_logical(filter, path, logical, value, join);
	if (filter_is_operator(name))
		return filter_fail(filter, path, "this operator must be applied to a field");
	if (name.size && *name.text == '$')
		return filter_fail(filter, path, "unknown operator");
	return filter_put_field(filter, path, name.text, value, join);
}

static bool filter_put_object(struct filter *filter, const struct filter_path *path,
	struct json object, struct filter_join *join)
{
	struct json_iter iter = json_iter(object);
	struct json key, value;

	while (json_next(&iter, &key, &value)) {
		struct filter_path at = filter_member(path, key);
		if (!filter_put_member(filter, &at, key, value, join))
			return false;
	}
	return true;
}

bool vectors_filter(struct context *ctx, struct call *call, const char *json, size_t size,
	const char *path, const char **where)
{
	struct json given = { json, size };
	struct filter filter = {
		.ctx = ctx,
		.call = call,
		.name = path,
		.sql = json_text_new(ctx->arena),
	};
	struct filter_path root = { 0 };
	struct filter_join join = { .word = " AND " };

	*where = "TRUE";
	call->patterns = NULL;
	if (!json || filter_is_kind(given, JSON_NULL_KIND))
		return true;
	if (!filter_is_kind(given, JSON_OBJECT_KIND))
		return filter_fail(&filter, &root, "the filter must be an object");
	filter_puts(&filter, "(");
	if (!filter_put_object(&filter, &root, given, &join))
		return false;
	filter_puts(&filter, ")");
	if (join.count)
		*where = json_text_end(&filter.sql).text;
	return true;
}
