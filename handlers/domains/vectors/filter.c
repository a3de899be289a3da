/* The filter's fields and what joins them; the operators are in vectors_filter_operator.c. */
#include "handlers/domains/vectors/filter.h"

#include <string.h>

#include "handlers/domains/vectors/filter_part.h"

static bool put_object(struct filter *filter, const struct filter_path *path, struct json object,
	struct filter_join *join);

/* ---------------------------------------------------------------- logical operators */

/* An object's conditions in parentheses; there must be one. */
static bool put_group(struct filter *filter, const struct filter_path *path, struct json object)
{
	struct filter_join join = { .word = " AND " };

	if (!filter_is_kind(object, JSON_OBJECT_KIND))
		return filter_fail(filter, path, "this must be an object with conditions");
	filter_puts(filter, "(");
	if (!put_object(filter, path, object, &join))
		return false;
	filter_puts(filter, ")");
	return join.count || filter_fail(filter, path, "there is no condition in it");
}

struct logical {
	const char *name;
	const char *opening;
	const char *word; /* between the items of an array; NULL: it takes an object */
	const char *empty;
};

static const struct logical logicals[] = {
	{ "$and", "(", " AND ", "TRUE" },
	{ "$or", "(", " OR ", "FALSE" },
	{ "$nor", "NOT (", " OR ", "FALSE" },
	{ "$not", "NOT (", NULL, NULL },
};
#define LOGICALS (sizeof(logicals) / sizeof(logicals[0]))

static const struct logical *find_logical(struct datum key)
{
	for (size_t i = 0; i < LOGICALS; i++)
		if (filter_key_is(key, logicals[i].name))
			return &logicals[i];
	return NULL;
}

bool filter_is_logical(struct datum key)
{
	return find_logical(key);
}

static bool put_items(struct filter *filter, const struct filter_path *path,
	const struct logical *logical, struct json array)
{
	struct filter_join join = { .word = logical->word };
	struct json_iter iter = json_iter(array);
	struct json item;

	if (!filter_is_kind(array, JSON_ARRAY_KIND))
		return filter_fail(filter, path, "this must be an array of conditions");
	while (json_next(&iter, NULL, &item)) {
		struct filter_path at = filter_item(path, join.count);
		if (!filter_next(filter, &at, &join) || !put_group(filter, &at, item))
			return false;
	}
	if (!join.count)
		filter_puts(filter, logical->empty);
	return true;
}

static bool put_logical(struct filter *filter, const struct filter_path *path,
	const struct logical *logical, struct json value, struct filter_join *join)
{
	if (!filter_next(filter, path, join))
		return false;
	filter_puts(filter, logical->opening);
	bool ok = logical->word ? put_items(filter, path, logical, value)
				: put_group(filter, path, value);
	filter_puts(filter, ")");
	return ok;
}

/* ---------------------------------------------------------------- fields */

static bool starts_with_operator(struct filter *filter, struct json object)
{
	struct json_iter iter = json_iter(object);
	struct json key, value;

	if (!json_next(&iter, &key, &value))
		return false;
	struct datum name = json_unquote(filter->ctx->arena, key);
	return name.size && *name.text == '$';
}

/* A field is a value, operators, or an object of further fields. */
static bool put_field(struct filter *filter, const struct filter_path *path, const char *dotted,
	struct json value, struct filter_join *join)
{
	struct json_iter iter = json_iter(value);
	struct filter_field field;
	struct json key, member;
	struct datum name;

	if (!filter_is_kind(value, JSON_OBJECT_KIND))
		return filter_field(filter, path, NULL, dotted, &field) &&
			filter_implicit(filter, path, &field, value, join);
	if (starts_with_operator(filter, value))
		return filter_field(filter, path, NULL, dotted, &field) &&
			filter_operators(filter, path, &field, value, join);
	/* Its name is copied before that of each member: it must be one, which has an end. */
	if (!filter_count(filter, path) || !filter_name_ok(filter, path, dotted))
		return false;
	while (json_next(&iter, &key, &member)) {
		struct filter_path at = filter_member(path, key);
		if (!filter_text(filter, &at, key, &name))
			return false;
		if (name.size && *name.text == '$')
			return filter_fail(filter, &at, "an operator can't stand beside fields");
		const char *longer = arena_printf(filter->ctx->arena, "%s.%s", dotted, name.text);
		if (!put_field(filter, &at, longer, member, join))
			return false;
	}
	return true;
}

static bool vectors_filter_put_member(struct filter *filter, const struct filter_path *path,
	struct json key, struct json value, struct filter_join *join)
{
	struct datum name;

	if (!filter_text(filter, path, key, &name))
		return false;
	const struct logical *logical = find_logical(name);
	if (logical)
		return put_logical(filter, path, logical, value, join);
	if (filter_is_operator(name))
		return filter_fail(filter, path, "this operator needs a field to stand in");
	if (name.size && *name.text == '$')
		return filter_fail(filter, path, "there is no such operator");
	return put_field(filter, path, name.text, value, join);
}

static bool put_object(struct filter *filter, const struct filter_path *path, struct json object,
	struct filter_join *join)
{
	struct json_iter iter = json_iter(object);
	struct json key, value;

	while (json_next(&iter, &key, &value)) {
		struct filter_path at = filter_member(path, key);
		if (!vectors_filter_put_member(filter, &at, key, value, join))
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
	if (!put_object(&filter, &root, given, &join))
		return false;
	filter_puts(&filter, ")");
	if (join.count)
		*where = json_text_end(&filter.sql).text;
	return true;
}
