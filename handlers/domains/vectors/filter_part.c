/* The parts a filter is made of: paths for errors, fields, values. */
#include "handlers/domains/vectors/filter_part.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/json/check.h"

#define SHOWN_KEY 64 /* bytes of a key that an error shows */
/* Bytes of the places of regular expressions from which on no further one is shown. */
#define SHOWN_PATTERNS 500

/* ---------------------------------------------------------------- paths */

struct filter_path filter_member(const struct filter_path *up, struct json key)
{
	return (struct filter_path){ .up = up, .key = key, .depth = up->depth + 1 };
}

struct filter_path filter_item(const struct filter_path *up, unsigned index)
{
	return (struct filter_path){ .up = up, .index = index, .depth = up->depth + 1 };
}

/* The key as it is written in the filter, without its quotes, no character cut in two. */
static struct json shown_key(struct json key)
{
	struct json shown = { key.text + 1, key.len - 2 };

	if (shown.len > SHOWN_KEY) {
		shown.len = SHOWN_KEY;
		while (shown.len && ((unsigned char)shown.text[shown.len] & 0xC0) == 0x80)
			shown.len--;
	}
	return shown;
}

/* The path as text: filter.$and[1].price.$gt. */
static const char *path_text(struct filter *filter, const struct filter_path *path)
{
	const struct filter_path *steps[FILTER_DEPTH + 1];
	struct json_text out = json_text_new(filter->ctx->arena);
	unsigned count = 0;

	for (; path->up && count <= FILTER_DEPTH; path = path->up)
		steps[count++] = path;
	json_text_puts(&out, filter->name);
	while (count--) {
		struct json key = steps[count]->key;
		if (key.text) {
			json_text_puts(&out, ".");
			json_text_value(&out, shown_key(key));
		} else {
			json_text_puts(&out,
				arena_printf(filter->ctx->arena, "[%u]", steps[count]->index));
		}
	}
	return json_text_end(&out).text;
}

bool filter_fail(struct filter *filter, const struct filter_path *path, const char *why)
{
	call_fail_at(filter->ctx, filter->call, "INVALID_FILTER", path_text(filter, path), why);
	return false;
}

void filter_pattern(struct filter *filter, const struct filter_path *path)
{
	const char *earlier = filter->call->patterns;

	if (earlier && strlen(earlier) > SHOWN_PATTERNS)
		return;
	const char *where = path_text(filter, path);
	filter->call->patterns = earlier
		? arena_printf(filter->ctx->arena, "%s or %s", earlier, where)
		: where;
}

void filter_puts(struct filter *filter, const char *sql)
{
	json_text_puts(&filter->sql, sql);
}

void filter_printf(struct filter *filter, const char *format, ...)
{
	va_list args, again;

	va_start(args, format);
	va_copy(again, args);
	size_t len = (size_t)vsnprintf(NULL, 0, format, args);
	char *text = arena_alloc(filter->ctx->arena, len + 1);
	vsnprintf(text, len + 1, format, again);
	va_end(again);
	va_end(args);
	json_text_add(&filter->sql, text, len);
}

bool filter_count(struct filter *filter, const struct filter_path *path)
{
	if (path->depth >= FILTER_DEPTH)
		return filter_fail(filter, path, "the filter is nested too deeply");
	if (++filter->conditions > FILTER_CONDITIONS)
		return filter_fail(filter, path, "the filter has too many conditions");
	return true;
}

bool filter_next(struct filter *filter, const struct filter_path *path, struct filter_join *join)
{
	if (join->count++)
		filter_puts(filter, join->word);
	return filter_count(filter, path);
}

/* ---------------------------------------------------------------- fields */

static bool filter_part_is_name(const char *text, size_t len)
{
	if (!len || len > FILTER_NAME)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		if (!letter && (i == 0 || c < '0' || c > '9'))
			return false;
	}
	return true;
}

bool filter_name_ok(struct filter *filter, const struct filter_path *path, const char *dotted)
{
	unsigned count = 0;

	for (;; dotted++) {
		size_t len = strcspn(dotted, ".");
		if (!filter_part_is_name(dotted, len))
			return filter_fail(filter, path,
				"a field's name, or each part of it between dots, must begin with "
				"a letter or _ and hold only letters, digits and _, at most 63");
		if (++count > FILTER_DEPTH)
			return filter_fail(filter, path, "the field is nested too deeply");
		dotted += len;
		if (!*dotted)
			return true;
	}
}

/* The dotted name's parts into an array parameter. */
static void bind_parts(struct params *params, const char *dotted)
{
	int array = params_array(params, ELEMENT_TEXT);

	for (;; dotted++) {
		size_t len = strcspn(dotted, ".");
		array_text(params, array, dotted, len);
		dotted += len;
		if (!*dotted)
			return;
	}
}

bool filter_field(struct filter *filter, const struct filter_path *path, const char *base,
	const char *dotted, struct filter_field *out)
{
	struct arena *arena = filter->ctx->arena;

	out->indexed = !base && filter_part_is_name(dotted, strlen(dotted));
	if (out->indexed) {
		/* A literal, as in the index's definition; a name has nothing to escape. */
		out->json = arena_printf(arena, "(metadata->'%s')", dotted);
		out->text = arena_printf(arena, "(metadata->>'%s')", dotted);
		return true;
	}
	if (!filter_name_ok(filter, path, dotted))
		return false;
	bind_parts(filter->ctx->params, dotted);
	int number = params_count(filter->ctx->params);
	const char *from = base ? base : "metadata";
	out->json = arena_printf(arena, "(%s #> $%d::text[])", from, number);
	out->text = arena_printf(arena, "(%s #>> $%d::text[])", from, number);
	return true;
}

struct filter_field filter_element(struct filter *filter, const char *base)
{
	return (struct filter_field){
		.json = base,
		.text = arena_printf(filter->ctx->arena, "(%s #>> '{}')", base),
	};
}

bool filter_key_is(struct datum key, const char *name)
{
	return key.size == strlen(name) && memcmp(key.text, name, key.size) == 0;
}

/* ---------------------------------------------------------------- numbers */

/* A number's text, taken apart. */
struct number {
	bool negative;
	const char *whole;
	size_t whole_len;
	const char *part; /* behind the point */
	size_t part_len;
	int exponent;
};

static size_t filter_part_digits(const char *at, const char *end)
{
	size_t count = 0;

	while (at + count < end && at[count] >= '0' && at[count] <= '9')
		count++;
	return count;
}

/* Behind an exponent, of which there need be none; NULL if it is none. Large ones stop at a size
 * that no limit allows. */
static const char *read_exponent(const char *at, const char *end, int *exponent)
{
	*exponent = 0;
	if (at == end || (*at != 'e' && *at != 'E'))
		return at;
	at++;
	bool negative = at < end && *at == '-';
	at += at < end && (*at == '-' || *at == '+');
	size_t count = filter_part_digits(at, end);
	if (!count)
		return NULL;
	for (; count--; at++)
		if (*exponent <= FILTER_DIGITS)
			*exponent = *exponent * 10 + (*at - '0');
	*exponent = negative ? -*exponent : *exponent;
	return at;
}

/* JSON's numbers, and beside them what JavaScript and PostgreSQL both take: +5, .5, 5. */
static bool filter_part_read_number(const char *at, size_t len, struct number *out)
{
	const char *end = at + len;

	*out = (struct number){ .negative = at < end && *at == '-' };
	at += at < end && (*at == '-' || *at == '+');
	out->whole = at;
	out->whole_len = filter_part_digits(at, end);
	at += out->whole_len;
	if (at < end && *at == '.') {
		out->part = ++at;
		out->part_len = filter_part_digits(at, end);
		at += out->part_len;
	}
	if (out->whole_len + out->part_len == 0)
		return false;
	at = read_exponent(at, end, &out->exponent);
	return at == end;
}

static bool number_fits(const struct number *number)
{
	size_t exponent = (size_t)abs(number->exponent);

	return number->whole_len + number->part_len + exponent <= FILTER_DIGITS;
}

static char digit_at(const struct number *number, size_t at)
{
	if (at < number->whole_len)
		return number->whole[at];
	at -= number->whole_len;
	return at < number->part_len ? number->part[at] : '0';
}

/* As numeric prints it, without zeros at either end: jsonb holds numbers so, and ->> gives them
 * so, where JavaScript prints large and small ones with an exponent. The number fits. */
static struct json write_number(struct arena *arena, const struct number *number)
{
	long point = (long)number->whole_len + number->exponent;
	long first = 0, last = (long)(number->whole_len + number->part_len);
	struct json_text out = json_text_sized(arena,
		(size_t)last + (size_t)abs(number->exponent) + strlen("-0."));

	while (first < last && digit_at(number, (size_t)first) == '0')
		first++;
	while (last > first && digit_at(number, (size_t)last - 1) == '0')
		last--;
	if (first == last)
		return (struct json){ "0", 1 };
	json_text_puts(&out, number->negative ? "-" : "");
	if (point <= first)
		json_text_puts(&out, "0");
	for (long i = first; i < point; i++)
		json_text_add(&out, &(char){ digit_at(number, (size_t)i) }, 1);
	if (last > point)
		json_text_puts(&out, ".");
	for (long i = point; i < last; i++)
		json_text_add(&out, &(char){ i < first ? '0' : digit_at(number, (size_t)i) }, 1);
	return json_text_end(&out);
}

/* ---------------------------------------------------------------- values */

bool filter_text(struct filter *filter, const struct filter_path *path, struct json string,
	struct datum *out)
{
	*out = json_unquote(filter->ctx->arena, string);
	if (out->size && memchr(out->text, 0, out->size))
		return filter_fail(filter, path, "a text must not hold a NUL character");
	return true;
}

static struct json filter_part_trimmed(struct datum text)
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

static bool is_infinity(struct json text)
{
	bool sign = text.len && (*text.text == '-' || *text.text == '+');

	return text.len == strlen("Infinity") + sign &&
		memcmp(text.text + sign, "Infinity", strlen("Infinity")) == 0;
}

static bool filter_part_fits(struct filter *filter, const struct filter_path *path,
	const struct number *number)
{
	return number_fits(number) || filter_fail(filter, path, "the number is out of range");
}

/* The number as the metadata holds it, to the digits of a double; beyond doubles as it is. */
static struct json normal_number(struct arena *arena, struct json value)
{
	struct datum given = json_datum(value), normal = json_normal(arena, &given);

	return json_kind(json_of(&normal)) == JSON_NUMBER_KIND ? json_of(&normal) : value;
}

bool filter_number(struct filter *filter, const struct filter_path *path, struct json value,
	const char **sql, bool *is_number)
{
	enum json_kind kind = json_kind(value);
	struct json text = value;
	struct number number;

	*is_number = false;
	if (kind == JSON_STRING_KIND) {
		struct datum characters;
		if (!filter_text(filter, path, value, &characters))
			return false;
		text = filter_part_trimmed(characters);
	} else if (kind == JSON_NUMBER_KIND) {
		text = normal_number(filter->ctx->arena, value);
	} else {
		return true;
	}
	*is_number = is_infinity(text);
	if (!*is_number) {
		if (!filter_part_read_number(text.text, text.len, &number))
			return true;
		*is_number = true;
		if (!filter_part_fits(filter, path, &number))
			return false;
	}
	params_text(filter->ctx->params, text.text, text.len);
	*sql = arena_printf(filter->ctx->arena, "($%d::text)::numeric",
		params_count(filter->ctx->params));
	return true;
}

/* The text of a scalar that is not null. */
static bool scalar_text(struct filter *filter, const struct filter_path *path, struct json value,
	struct json *out)
{
	struct datum text;
	struct number number;

	switch (json_kind(value)) {
	case JSON_STRING_KIND:
		if (!filter_text(filter, path, value, &text))
			return false;
		*out = json_of(&text);
		return true;
	case JSON_NUMBER_KIND:
		value = normal_number(filter->ctx->arena, value);
		if (!filter_part_read_number(value.text, value.len, &number) ||
			!filter_part_fits(filter, path, &number))
			return false;
		*out = write_number(filter->ctx->arena, &number);
		return true;
	default: /* true, false */
		*out = value;
		return true;
	}
}

static bool holds_no_operator(struct filter *filter, const struct filter_path *path,
	struct json value)
{
	struct json_iter iter = json_iter(value);
	struct json key, ignored;

	while (iter.members && json_next(&iter, &key, &ignored)) {
		struct datum name = json_unquote(filter->ctx->arena, key);
		struct filter_path at = filter_member(path, key);
		if (name.size && *name.text == '$')
			return filter_fail(filter, &at, "an operator is no value of an operator");
	}
	return true;
}

/* An object or array is compared by the text that jsonb gives it. */
static bool container_value(struct filter *filter, const struct filter_path *path,
	struct json value, const char **sql)
{
	struct datum given = json_datum(value);

	if (!filter_count(filter, path) || !holds_no_operator(filter, path, value))
		return false;
	if (json_check(value.text, value.len, JSON_DEPTH_MAXIMUM).repair)
		return filter_fail(filter, path,
			"the value has an escaped NUL or a lone surrogate, which jsonb can't hold");
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
		return container_value(filter, path, value, sql);
	if (!scalar_text(filter, path, value, &text))
		return false;
	params_text(filter->ctx->params, text.text, text.len);
	*sql = arena_printf(filter->ctx->arena, "$%d::text", params_count(filter->ctx->params));
	return true;
}

/* ---------------------------------------------------------------- lists */

struct list {
	int array;                /* the parameter that holds the scalars */
	struct json_text members; /* SQL of the objects and arrays, each a parameter */
	enum filter_nulls nulls;
};

static bool list_add(struct filter *filter, const struct filter_path *path, struct json value,
	struct list *list)
{
	struct params *params = filter->ctx->params;
	struct json text = { "null", strlen("null") };
	const char *sql;

	if (filter_is_container(value)) {
		if (!container_value(filter, path, value, &sql))
			return false;
		json_text_puts(&list->members, " || ");
		json_text_puts(&list->members, sql);
		return true;
	}
	if (json_kind(value) != JSON_NULL_KIND) {
		if (!scalar_text(filter, path, value, &text))
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
	struct list list = { .nulls = nulls, .members = json_text_new(filter->ctx->arena) };
	struct json_iter iter = json_iter(value);
	struct json item;

	list.array = params_array(filter->ctx->params, ELEMENT_TEXT);
	int number = params_count(filter->ctx->params);
	if (json_kind(value) != JSON_ARRAY_KIND) {
		if (!list_add(filter, path, value, &list))
			return false;
	} else {
		for (unsigned i = 0; json_next(&iter, NULL, &item); i++) {
			struct filter_path at = filter_item(path, i);
			if (!list_add(filter, &at, item, &list))
				return false;
		}
	}
	*sql = list.members.len ? arena_printf(filter->ctx->arena, "($%d::text[]%s)", number,
					  json_text_end(&list.members).text)
				: arena_printf(filter->ctx->arena, "$%d::text[]", number);
	return true;
}
