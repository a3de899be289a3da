/* filter_writer.c - writes the SQL of a filter and reports errors with their path */
#include "handlers/domains/vectors/filter_writer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SHOWN_KEY 64 /* bytes of a key that an error shows */
/* An error stops listing paths of regular expressions once the list has this many bytes. */
#define SHOWN_PATTERNS 500

struct filter_path filter_member(const struct filter_path *up, struct json key)
{
	return (struct filter_path){ .up = up, .key = key, .depth = up->depth + 1 };
}

struct filter_path filter_item(const struct filter_path *up, unsigned index)
{
	return (struct filter_path){ .up = up, .index = index, .depth = up->depth + 1 };
}

/* The key without its quotes, cut at a whole character. */
static struct json filter_writer_shown_key(struct json key)
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
static const char *filter_writer_path_text(struct filter *filter, const struct filter_path *path)
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
			json_text_value(&out, filter_writer_shown_key(key));
		} else {
			json_text_puts(&out,
				arena_printf(filter->ctx->arena, "[%u]", steps[count]->index));
		}
	}
	return json_text_end(&out).text;
}

bool filter_fail(struct filter *filter, const struct filter_path *path, const char *why)
{
	call_fail_at(filter->ctx, filter->call, "INVALID_FILTER",
		filter_writer_path_text(filter, path), why);
	return false;
}

void filter_pattern(struct filter *filter, const struct filter_path *path)
{
	const char *earlier = filter->call->patterns;

	if (earlier && strlen(earlier) > SHOWN_PATTERNS)
		return;
	const char *where = filter_writer_path_text(filter, path);
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
