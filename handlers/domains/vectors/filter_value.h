/*
 * filter_value.h - a filter's keys, values and lists as SQL
 */
#ifndef HANDLERS_DOMAINS_VECTORS_FILTER_VALUE_H
#define HANDLERS_DOMAINS_VECTORS_FILTER_VALUE_H

#include "handlers/domains/vectors/filter_writer.h"

static inline bool filter_is_kind(struct json value, enum json_kind kind)
{
	return json_kind(value) == kind;
}

static inline bool filter_is_container(struct json value)
{
	return filter_is_kind(value, JSON_OBJECT_KIND) || filter_is_kind(value, JSON_ARRAY_KIND);
}

bool filter_key_is(struct datum key, const char *name);

/* The characters of a key or a string. A NUL fails the call. */
bool filter_text(struct filter *filter, const struct filter_path *path, struct json string,
	struct datum *out);

/* Binds a value. *sql is of type text, in the form that ->> gives; NULL for JSON's null. */
bool filter_value(struct filter *filter, const struct filter_path *path, struct json value,
	const char **sql);

/* Binds a number, or a string that reads as one. *sql is then of type numeric and *is_number
 * true. */
bool filter_value_number(struct filter *filter, const struct filter_path *path, struct json value,
	const char **sql, bool *is_number);

/* What a null in a list becomes. */
enum filter_nulls {
	FILTER_NULLS_KEPT,
	FILTER_NULLS_DROPPED,
	FILTER_NULLS_TEXT, /* the text "null" */
};
/* Binds a list, or a single value as a list of one. *sql is of type text[]. */
bool filter_list(struct filter *filter, const struct filter_path *path, struct json value,
	enum filter_nulls nulls, const char **sql);

#endif
