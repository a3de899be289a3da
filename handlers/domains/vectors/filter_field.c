/* filter_field.c - checks the names of fields and writes fields as SQL */
#include "handlers/domains/vectors/filter_field.h"

#include <string.h>

static bool filter_field_is_name(const char *text, size_t len)
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

bool filter_field_name_ok(struct filter *filter, const struct filter_path *path, const char *dotted)
{
	unsigned count = 0;

	for (;; dotted++) {
		size_t len = strcspn(dotted, ".");
		if (!filter_field_is_name(dotted, len))
			return filter_fail(filter, path,
				"each part of a field's name must start with a letter or _ and contain "
				"only letters, digits and _, up to 63 characters");
		if (++count > FILTER_DEPTH)
			return filter_fail(filter, path, "the field is nested too deeply");
		dotted += len;
		if (!*dotted)
			return true;
	}
}

/* Binds the parts of a dotted name as one array parameter. */
static void filter_field_bind_parts(struct params *params, const char *dotted)
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

	out->indexed = !base && filter_field_is_name(dotted, strlen(dotted));
	if (out->indexed) {
		/* A literal, as in the index definition. A checked name needs no escaping. */
		out->json = arena_printf(arena, "(metadata->'%s')", dotted);
		out->text = arena_printf(arena, "(metadata->>'%s')", dotted);
		return true;
	}
	if (!filter_field_name_ok(filter, path, dotted))
		return false;
	filter_field_bind_parts(filter->ctx->params, dotted);
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
