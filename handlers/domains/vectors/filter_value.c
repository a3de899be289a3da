/* filter_value.c - binds a filter's values and lists as parameters */
#include "handlers/domains/vectors/filter_value.h"

#include <string.h>

#include "handlers/domains/vectors/filter_number.h"
#include "schemas/json/check.h"

bool filter_key_is(struct datum key, const char *name)
{
	return key.size == strlen(name) && memcmp(key.text, name, key.size) == 0;
}

bool filter_text(struct filter *filter, const struct filter_path *path, struct json string,
	struct datum *out)
{
	*out = json_unquote(filter->ctx->arena, string);
	if (out->size && memchr(out->text, 0, out->size))
		return filter_fail(filter, path, "text must not contain a NUL character");
	return true;
}

/* The text without the blanks that JavaScript's Number() ignores. */
static struct json filter_value_trimmed(struct datum text)
{
	struct json out = { text.text, text.size };
	static const char blanks[] = " \t\n\v\f\r";

	while (out.len && strchr(blanks, *out.text)) {
		out.text++;
		out.len--;
	}
	while (out.len && strchr(blanks, out.text[out.len - 1]))
		out.len--;
	return out;
}

static bool filter_value_is_infinity(struct json text)
{
	bool sign = text.len && (*text.text == '-' || *text.text == '+');

	return text.len == strlen("Infinity") + sign &&
		memcmp(text.text + sign, "Infinity", strlen("Infinity")) == 0;
}

static bool filter_value_number_fits(struct filter *filter, const struct filter_path *path,
	const struct filter_number *number)
{
	return filter_number_fits(number) ||
		filter_fail(filter, path, "the number is out of range");
}

/* The number as the metadata stores it, with the digits of a double. A number beyond the range
 * of doubles stays as it is. */
static struct json filter_value_normal_number(struct arena *arena, struct json value)
{
	struct datum given = json_datum(value), normal = json_normal(arena, &given);

	return json_kind(json_of(&normal)) == JSON_NUMBER_KIND ? json_of(&normal) : value;
}

bool filter_value_number(struct filter *filter, const struct filter_path *path, struct json value,
	const char **sql, bool *is_number)
{
	enum json_kind kind = json_kind(value);
	struct json text = value;
	struct filter_number number;

	*is_number = false;
	if (kind == JSON_STRING_KIND) {
		struct datum characters;
		if (!filter_text(filter, path, value, &characters))
			return false;
		text = filter_value_trimmed(characters);
	} else if (kind == JSON_NUMBER_KIND) {
		text = filter_value_normal_number(filter->ctx->arena, value);
	} else {
		return true;
	}
	*is_number = filter_value_is_infinity(text);
	if (!*is_number) {
		if (!filter_number_read(text.text, text.len, &number))
			return true;
		*is_number = true;
		if (!filter_value_number_fits(filter, path, &number))
			return false;
	}
	params_text(filter->ctx->params, text.text, text.len);
	*sql = arena_printf(filter->ctx->arena, "($%d::text)::numeric",
		params_count(filter->ctx->params));
	return true;
}

/* The text of a scalar that is not null. */
static bool filter_value_scalar_text(struct filter *filter, const struct filter_path *path,
	struct json value, struct json *out)
{
	struct datum text;
	struct filter_number number;

	switch (json_kind(value)) {
	case JSON_STRING_KIND:
		if (!filter_text(filter, path, value, &text))
			return false;
		*out = json_of(&text);
		return true;
	case JSON_NUMBER_KIND:
		value = filter_value_normal_number(filter->ctx->arena, value);
		if (!filter_number_read(value.text, value.len, &number) ||
			!filter_value_number_fits(filter, path, &number))
			return false;
		*out = filter_number_write(filter->ctx->arena, &number);
		return true;
	default: /* true, false */
		*out = value;
		return true;
	}
}

static bool filter_value_has_no_operator(struct filter *filter, const struct filter_path *path,
	struct json value)
{
	struct json_iter iter = json_iter(value);
	struct json key, ignored;

	while (iter.members && json_next(&iter, &key, &ignored)) {
		struct datum name = json_unquote(filter->ctx->arena, key);
		struct filter_path at = filter_member(path, key);
		if (name.size && *name.text == '$')
			return filter_fail(filter, &at,
				"the value of an operator can't contain an operator");
	}
	return true;
}

/* Binds an object or array, which is compared by the text that jsonb gives it. */
static bool filter_value_container(struct filter *filter, const struct filter_path *path,
	struct json value, const char **sql)
{
	struct datum given = json_datum(value);

	if (!filter_count(filter, path) || !filter_value_has_no_operator(filter, path, value))
		return false;
	if (json_check(value.text, value.len, JSON_DEPTH_MAXIMUM).repair)
		return filter_fail(filter, path,
			"the value has an escaped NUL or a lone surrogate, which jsonb can't store");
	struct datum normal = json_normal(filter->ctx->arena, &given);
	params_jsonb(filter->ctx->params, normal.text, normal.size);
	*sql = arena_printf(filter->ctx->arena, "($%d::jsonb)::text",
		params_count(filter->ctx->params));
	return true;
}

bool filter_value(struct filter *filter, const struct filter_path *path, struct json value,
	const char **sql)
{
	struct json text;

	*sql = NULL;
	if (json_kind(value) == JSON_NULL_KIND)
		return true;
	if (filter_is_container(value))
		return filter_value_container(filter, path, value, sql);
	if (!filter_value_scalar_text(filter, path, value, &text))
		return false;
	params_text(filter->ctx->params, text.text, text.len);
	*sql = arena_printf(filter->ctx->arena, "$%d::text", params_count(filter->ctx->params));
	return true;
}

/* ---------------------------------------------------------------- lists */

struct filter_value_list {
	int array;                /* number of the parameter that holds the scalars */
	struct json_text members; /* SQL that appends the objects and arrays, one parameter each */
	enum filter_nulls nulls;
};

static bool filter_value_list_add(struct filter *filter, const struct filter_path *path,
	struct json value, struct filter_value_list *list)
{
	struct params *params = filter->ctx->params;
	struct json text = { "null", strlen("null") };
	const char *sql;

	if (filter_is_container(value)) {
		if (!filter_value_container(filter, path, value, &sql))
			return false;
		json_text_puts(&list->members, " || ");
		json_text_puts(&list->members, sql);
		return true;
	}
	if (json_kind(value) != JSON_NULL_KIND) {
		if (!filter_value_scalar_text(filter, path, value, &text))
			return false;
	} else if (list->nulls == FILTER_NULLS_DROPPED) {
		return true;
	} else if (list->nulls == FILTER_NULLS_KEPT) {
		array_null(params, list->array);
		return true;
	}
	array_text(params, list->array, text.text, text.len);
	return true;
}

bool filter_list(struct filter *filter, const struct filter_path *path, struct json value,
	enum filter_nulls nulls, const char **sql)
{
	struct filter_value_list list = { .nulls = nulls,
		.members = json_text_new(filter->ctx->arena) };
	struct json_iter iter = json_iter(value);
	struct json item;

	list.array = params_array(filter->ctx->params, ELEMENT_TEXT);
	int number = params_count(filter->ctx->params);
	if (json_kind(value) != JSON_ARRAY_KIND) {
		if (!filter_value_list_add(filter, path, value, &list))
			return false;
	} else {
		for (unsigned i = 0; json_next(&iter, NULL, &item); i++) {
			struct filter_path at = filter_item(path, i);
			if (!filter_value_list_add(filter, &at, item, &list))
				return false;
		}
	}
	*sql = list.members.len ? arena_printf(filter->ctx->arena, "($%d::text[]%s)", number,
					  json_text_end(&list.members).text)
				: arena_printf(filter->ctx->arena, "$%d::text[]", number);
	return true;
}
