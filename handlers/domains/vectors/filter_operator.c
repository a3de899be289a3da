/* The operators on a field. Each is a condition of three values: what a row lacks, or holds in
 * another type, makes NULL, and $not and $nor leave it NULL, as the reference does. */
#include <string.h>

#include "handlers/domains/vectors/filter_part.h"

/* One operator at hand. */
struct operation {
	const struct filter_path *path;
	const struct filter_field *field;
	struct json value;
	const struct filter_siblings *siblings; /* NULL: it was not written */
	const char *sql;                        /* of the table's row */
};

typedef bool operator_fn(struct filter *filter, const struct operation *op);

/* ---------------------------------------------------------------- comparison */

static bool filter_operator_equal(struct filter *filter, const struct operation *op)
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

/* With a null it is NULL for every row. The field is written even so: its path may be a
 * parameter, and each one must be in the SQL. */
static void put_comparison(struct filter *filter, const struct filter_field *field,
	const char *comparison, const char *value)
{
	filter_printf(filter, "%s %s %s", field->text, comparison, value ? value : "NULL::text");
}

/* A number, also one in a string, is compared with numbers alone; other scalars as text. */
static bool filter_operator_ordered(struct filter *filter, const struct operation *op)
{
	const struct filter_field *field = op->field;
	const char *value;
	bool number;

	if (filter_is_container(op->value))
		return filter_fail(filter, op->path, "the value must be a number or a string");
	if (!filter_number(filter, op->path, op->value, &value, &number))
		return false;
	if (number) {
		filter_printf(filter,
			"CASE jsonb_typeof(%s) WHEN 'number' THEN %s::numeric %s %s END",
			field->json, field->json, op->sql, value);
		return true;
	}
	if (!filter_value(filter, op->path, op->value, &value))
		return false;
	put_comparison(filter, field, op->sql, value);
	return true;
}

/* ---------------------------------------------------------------- lists */

/* The field is one of the list or, if it is an array, holds one. So that an index on the text
 * serves both: an array's text begins with [, and where the collation looks at brackets first
 * (a constant to the planner) such texts lie from [ to ]. */
static bool one_of(struct filter *filter, const struct operation *op)
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

/* An array holds all of the list. What is no array is asked for strings that are it, or keys of
 * it, as the reference asks. */
static void put_all_of(struct filter *filter, const struct filter_field *field, const char *list)
{
	filter_printf(filter,
		"CASE jsonb_typeof(%s) WHEN 'array' THEN"
		" ARRAY(SELECT jsonb_array_elements_text(%s)) @> %s ELSE %s ?& %s END",
		field->json, field->json, list, field->json, list);
}

static bool all_of(struct filter *filter, const struct operation *op)
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
	put_all_of(filter, op->field, list);
	return true;
}

/* ---------------------------------------------------------------- text */

/* The text with %, _ and \ escaped, between two %. */
static struct json like_pattern(struct arena *arena, struct datum text)
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

static bool filter_operator_contains(struct filter *filter, const struct operation *op)
{
	struct params *params = filter->ctx->params;
	struct datum text;
	const char *value;

	if (filter_is_kind(op->value, JSON_ARRAY_KIND)) {
		if (!filter_list(filter, op->path, op->value, FILTER_NULLS_TEXT, &value))
			return false;
		put_all_of(filter, op->field, value);
		return true;
	}
	if (filter_is_kind(op->value, JSON_STRING_KIND)) {
		if (!filter_text(filter, op->path, op->value, &text))
			return false;
		struct json pattern = like_pattern(filter->ctx->arena, text);
		params_text(params, pattern.text, pattern.len);
		filter_printf(filter, "%s ILIKE $%d::text", op->field->text, params_count(params));
		return true;
	}
	if (!filter_value(filter, op->path, op->value, &value))
		return false;
	put_comparison(filter, op->field, "=", value);
	return true;
}

/* The letters that mean something to PostgreSQL too, each once: of m and s the later one counts. */
static void read_flags(struct filter *filter, struct json options, char flags[FILTER_FLAGS + 1])
{
	struct datum letters = json_unquote(filter->ctx->arena, options);
	size_t count = 0;

	for (uint32_t i = 0; i < letters.size; i++) {
		if (!letters.text[i] || !strchr("imsx", letters.text[i]))
			continue;
		char *earlier = memchr(flags, letters.text[i], count);
		if (earlier)
			memmove(earlier, earlier + 1, (size_t)(flags + --count - earlier));
		flags[count++] = letters.text[i];
	}
	flags[count] = '\0';
}

struct filter_siblings filter_siblings_in(struct filter *filter, struct json object)
{
	struct filter_siblings found = { 0 };
	struct json_iter iter = json_iter(object);
	struct json key, value, options = { 0 };

	while (json_next(&iter, &key, &value)) {
		if (json_spells(key, "$regex"))
			found.regex = true;
		else if (json_spells(key, "$options"))
			options = value; /* the last one, as in JSON.parse */
	}
	if (filter_is_kind(options, JSON_STRING_KIND))
		read_flags(filter, options, found.flags);
	return found;
}

static bool filter_operator_regex(struct filter *filter, const struct operation *op)
{
	struct json_text pattern = json_text_new(filter->ctx->arena);
	struct params *params = filter->ctx->params;
	struct datum text;

	if (filter_is_container(op->value))
		return filter_fail(filter, op->path, "the value must be a string");
	if (filter_is_kind(op->value, JSON_NULL_KIND)) {
		put_comparison(filter, op->field, "~", NULL);
		return true;
	}
	if (*op->siblings->flags) /* as PostgreSQL wants them: before the pattern */
		json_text_puts(&pattern,
			arena_printf(filter->ctx->arena, "(?%s)", op->siblings->flags));
	if (filter_is_kind(op->value, JSON_STRING_KIND)) {
		if (!filter_text(filter, op->path, op->value, &text))
			return false;
		json_text_add(&pattern, text.text, text.size);
	} else {
		json_text_value(&pattern, op->value);
	}
	json_text_end(&pattern);
	filter_pattern(filter, op->path);
	params_text(params, pattern.bytes, pattern.len);
	filter_printf(filter, "%s ~ $%d::text", op->field->text, params_count(params));
	return true;
}

/* No condition: $regex reads it. */
static bool options_ok(struct filter *filter, const struct operation *op)
{
	if (!filter_is_kind(op->value, JSON_STRING_KIND) &&
		!filter_is_kind(op->value, JSON_NULL_KIND))
		return filter_fail(filter, op->path, "the value must be a string");
	if (!op->siblings->regex)
		return filter_fail(filter, op->path, "$options needs a $regex beside it");
	return true;
}

/* ---------------------------------------------------------------- shape */

static bool filter_operator_exists(struct filter *filter, const struct operation *op)
{
	filter_printf(filter, "%s IS %sNULL", op->field->json,
		filter_is_kind(op->value, JSON_FALSE_KIND) ? "" : "NOT ");
	return true;
}

static const struct {
	const char *name;
	const char *sql;
} comparisons[] = {
	{ "$eq", "=" },
	{ "$ne", "<>" },
	{ "$gt", ">" },
	{ "$gte", ">=" },
	{ "$lt", "<" },
	{ "$lte", "<=" },
};
#define COMPARISONS (sizeof(comparisons) / sizeof(comparisons[0]))

static bool put_length(struct filter *filter, const struct filter_path *path,
	const struct filter_field *field, const char *comparison, struct json value)
{
	const char *number;
	bool is_number;

	if (!filter_number(filter, path, value, &number, &is_number))
		return false;
	if (!is_number)
		return filter_fail(filter, path, "a length is compared with numbers");
	filter_printf(filter, "jsonb_array_length(%s) %s %s", field->json, comparison, number);
	return true;
}

static bool put_lengths(struct filter *filter, const struct operation *op)
{
	struct json_iter iter = json_iter(op->value);
	struct filter_join join = { .word = " AND " };
	struct json key, value;

	while (json_next(&iter, &key, &value)) {
		struct filter_path at = filter_member(op->path, key);
		struct datum name = json_unquote(filter->ctx->arena, key);
		size_t i = 0;
		while (i < COMPARISONS && !filter_key_is(name, comparisons[i].name))
			i++;
		if (i == COMPARISONS)
			return filter_fail(filter, &at,
				"a length takes $eq, $ne, $gt, $gte, $lt and $lte");
		if (!filter_next(filter, &at, &join) ||
			!put_length(filter, &at, op->field, comparisons[i].sql, value))
			return false;
	}
	return join.count || filter_fail(filter, op->path, "there is no condition in it");
}

/* An array's length: a whole number, or comparisons. What is no array has none. */
static bool filter_operator_size(struct filter *filter, const struct operation *op)
{
	bool ok = true;

	filter_printf(filter, "CASE jsonb_typeof(%s) WHEN 'array' THEN ", op->field->json);
	if (filter_is_kind(op->value, JSON_NULL_KIND))
		filter_puts(filter, "NULL");
	else if (filter_is_kind(op->value, JSON_OBJECT_KIND))
		ok = put_lengths(filter, op);
	else if (memchr(op->value.text, '.', op->value.len))
		return filter_fail(filter, op->path, "a length is a whole number");
	else
		ok = put_length(filter, op->path, op->field, "=", op->value);
	filter_puts(filter, " ELSE FALSE END");
	return ok;
}

/* ---------------------------------------------------------------- nesting */

static bool filter_operator_negation(struct filter *filter, const struct operation *op)
{
	struct filter_join join = { .word = " AND " };

	if (!filter_is_kind(op->value, JSON_OBJECT_KIND))
		return filter_fail(filter, op->path, "$not takes an object");
	filter_puts(filter, "NOT (");
	if (!filter_operators(filter, op->path, op->field, op->value, &join))
		return false;
	filter_puts(filter, ")");
	return join.count || filter_fail(filter, op->path, "there is no condition in it");
}

/* A field of an element: a value, or operators. */
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
	return join->count > before || filter_fail(filter, path, "there is no condition in it");
}

static bool put_members(struct filter *filter, const struct operation *op, const char *item)
{
	struct filter_siblings siblings = filter_siblings_in(filter, op->value);
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
	return join.count || filter_fail(filter, op->path, "there is no condition in it");
}

/* An element of the array satisfies all: operators are asked of itself, fields of its members. */
static bool filter_operator_element(struct filter *filter, const struct operation *op)
{
	if (!filter_is_kind(op->value, JSON_OBJECT_KIND))
		return filter_fail(filter, op->path, "$elemMatch takes an object with conditions");
	const char *name = arena_printf(filter->ctx->arena, "item%u", ++filter->items);
	filter_printf(filter,
		"EXISTS (SELECT FROM jsonb_array_elements("
		"CASE jsonb_typeof(%s) WHEN 'array' THEN %s END) AS %s WHERE ",
		op->field->json, op->field->json, name);
	if (!put_members(filter, op, name))
		return false;
	filter_puts(filter, ")");
	return true;
}

/* ---------------------------------------------------------------- all of them */

static const struct {
	const char *name;
	operator_fn *fn;
	const char *sql;
} operators[] = {
	{ "$eq", filter_operator_equal, "=" },
	{ "$ne", filter_operator_equal, "<>" },
	{ "$gt", filter_operator_ordered, ">" },
	{ "$gte", filter_operator_ordered, ">=" },
	{ "$lt", filter_operator_ordered, "<" },
	{ "$lte", filter_operator_ordered, "<=" },
	{ "$in", one_of, "" },
	{ "$nin", one_of, "NOT " },
	{ "$all", all_of, NULL },
	{ "$contains", filter_operator_contains, NULL },
	{ "$regex", filter_operator_regex, NULL },
	{ "$exists", filter_operator_exists, NULL },
	{ "$size", filter_operator_size, NULL },
	{ "$elemMatch", filter_operator_element, NULL },
	{ "$not", filter_operator_negation, NULL },
};
#define OPERATORS (sizeof(operators) / sizeof(operators[0]))

static size_t filter_operator_find(struct datum name)
{
	size_t i = 0;

	while (i < OPERATORS && !filter_key_is(name, operators[i].name))
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
			"a field can't stand beside or in operators (nested fields: with dots)");
	if (filter_is_logical(name))
		return filter_fail(filter, path,
			"a logical operator joins conditions on fields, it is none on a field");
	return filter_fail(filter, path, "there is no such operator");
}

bool filter_operator(struct filter *filter, const struct filter_path *path,
	const struct filter_field *field, struct json key, struct json value,
	const struct filter_siblings *siblings, struct filter_join *join)
{
	struct datum name = json_unquote(filter->ctx->arena, key);
	struct operation op = {
		.path = path,
		.field = field,
		.value = value,
		.siblings = siblings,
	};
	size_t i = filter_operator_find(name);

	if (filter_key_is(name, "$options"))
		return filter_count(filter, path) && options_ok(filter, &op);
	if (i == OPERATORS)
		return filter_operator_unknown(filter, path, name);
	op.sql = operators[i].sql;
	return filter_next(filter, path, join) && operators[i].fn(filter, &op);
}

bool filter_operators(struct filter *filter, const struct filter_path *path,
	const struct filter_field *field, struct json object, struct filter_join *join)
{
	struct filter_siblings siblings = filter_siblings_in(filter, object);
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
	struct operation op = {
		.path = path,
		.field = field,
		.value = value,
		.sql = list ? "" : "=",
	};

	return filter_next(filter, path, join) &&
		(list ? one_of(filter, &op) : filter_operator_equal(filter, &op));
}
