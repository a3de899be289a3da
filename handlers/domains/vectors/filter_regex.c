/* filter_regex.c - regular expressions and their flags */
#include "handlers/domains/vectors/filter_regex.h"

#include <string.h>

/* The flags that PostgreSQL knows too, each once. Of m and s the later one wins. */
static void filter_regex_read_flags(struct filter *filter, struct json options,
	char flags[FILTER_FLAGS + 1])
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

struct filter_siblings filter_regex_siblings(struct filter *filter, struct json object)
{
	struct filter_siblings found = { 0 };
	struct json_iter iter = json_iter(object);
	struct json key, value, options = { 0 };

	while (json_next(&iter, &key, &value)) {
		if (json_spells(key, "$regex"))
			found.regex = true;
		else if (json_spells(key, "$options"))
			options = value; /* the last one wins, as in JSON.parse */
	}
	if (filter_is_kind(options, JSON_STRING_KIND))
		filter_regex_read_flags(filter, options, found.flags);
	return found;
}

bool filter_regex(struct filter *filter, const struct filter_operation *op)
{
	struct json_text pattern = json_text_new(filter->ctx->arena);
	struct params *params = filter->ctx->params;
	struct datum text;

	if (filter_is_container(op->value))
		return filter_fail(filter, op->path, "the value must be a string");
	if (filter_is_kind(op->value, JSON_NULL_KIND)) {
		/* The field's path may be a parameter, which must occur in the SQL. */
		filter_printf(filter, "%s ~ NULL::text", op->field->text);
		return true;
	}
	if (*op->siblings->flags) /* PostgreSQL reads flags before the pattern */
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

bool filter_regex_options_ok(struct filter *filter, const struct filter_operation *op)
{
	if (!filter_is_kind(op->value, JSON_STRING_KIND) &&
		!filter_is_kind(op->value, JSON_NULL_KIND))
		return filter_fail(filter, op->path, "the value must be a string");
	if (!op->siblings->regex)
		return filter_fail(filter, op->path, "$options needs a $regex in the same object");
	return true;
}
