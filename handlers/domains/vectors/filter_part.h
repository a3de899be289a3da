/*
 * filter_part.h - what the parts of vectors_filter share; not for others
 *
 * A filter is walked once and written as it is met. Functions return false when the call has
 * failed. Recursion follows the filter's nesting and ends at FILTER_DEPTH.
 */
#ifndef HANDLERS_DOMAINS_VECTORS_FILTER_PART_H
#define HANDLERS_DOMAINS_VECTORS_FILTER_PART_H

#include <stdbool.h>
#include <stddef.h>

#include "handlers/core/context.h"
#include "schemas/json/json.h"

/* Conditions, and what else takes its time: $options, objects of fields, objects and arrays in
 * lists. */
#define FILTER_CONDITIONS 1024
#define FILTER_DEPTH 32    /* nesting of a filter, and parts of a dotted field */
#define FILTER_NAME 63     /* characters of a part of a field, as the reference has it */
#define FILTER_DIGITS 1000 /* of a number written out; numeric holds far more */
#define FILTER_FLAGS 4     /* of a regular expression: i, m, s, x */

struct filter {
	struct context *ctx;
	struct call *call;
	const char *name;     /* of the whole filter, where paths begin */
	struct json_text sql; /* serves for any text that grows */
	unsigned conditions;
	unsigned items; /* array elements that have got a name in the SQL */
};

/* The way from the filter's root, on the callers' stacks; read only when something is wrong. */
struct filter_path {
	const struct filter_path *up; /* NULL: the root */
	struct json key;              /* of a member, with its quotes; absent: an item */
	unsigned index;               /* of an item */
	unsigned depth;
};
struct filter_path filter_member(const struct filter_path *up, struct json key);
struct filter_path filter_item(const struct filter_path *up, unsigned index);

/* Fails the call with the path and `why`; always false. */
bool filter_fail(struct filter *filter, const struct filter_path *path, const char *why);

/* Notes where a regular expression stands: only PostgreSQL can tell whether it is one. */
void filter_pattern(struct filter *filter, const struct filter_path *path);

/* Counts a condition, or what is as good as one, against the limits of depth and number. */
bool filter_count(struct filter *filter, const struct filter_path *path);

/* Conditions side by side: writes what stands before the next one, and counts it. */
struct filter_join {
	const char *word; /* " AND " or " OR " */
	unsigned count;
};
bool filter_next(struct filter *filter, const struct filter_path *path, struct filter_join *join);

void filter_puts(struct filter *filter, const char *sql);
void filter_printf(struct filter *filter, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A value of the row, as SQL: as jsonb, and as text, which is NULL for JSON's null too. */
struct filter_field {
	const char *json;
	const char *text;
	bool indexed; /* an index on the text may exist */
};

/* Is each of its parts a name, and are there not too many? */
bool filter_name_ok(struct filter *filter, const struct filter_path *path, const char *dotted);
/* The field `dotted` of `base`, an element's SQL, or of the metadata (NULL). */
bool filter_field(struct filter *filter, const struct filter_path *path, const char *base,
	const char *dotted, struct filter_field *out);
/* An element of an array itself. */
struct filter_field filter_element(struct filter *filter, const char *base);

/* The characters of a key or a string; a NUL fails the call. */
bool filter_text(struct filter *filter, const struct filter_path *path, struct json string,
	struct datum *out);

/* A value as SQL of type text, in the form in which ->> gives it; NULL for null. */
bool filter_value(struct filter *filter, const struct filter_path *path, struct json value,
	const char **sql);

/* Is it a number, or a string that reads as one? Then *sql is of type numeric. */
bool filter_number(struct filter *filter, const struct filter_path *path, struct json value,
	const char **sql, bool *is_number);

/* What a null in a list becomes. */
enum filter_nulls {
	FILTER_NULLS_KEPT,
	FILTER_NULLS_DROPPED,
	FILTER_NULLS_TEXT, /* the text "null" */
};
/* A list (or one value in its place) as SQL of type text[]. */
bool filter_list(struct filter *filter, const struct filter_path *path, struct json value,
	enum filter_nulls nulls, const char **sql);

/* What $regex and $options of one object must know of each other. */
struct filter_siblings {
	bool regex;                   /* there is one */
	char flags[FILTER_FLAGS + 1]; /* of $options */
};
struct filter_siblings filter_siblings_in(struct filter *filter, struct json object);

/* An operator on a field. */
bool filter_operator(struct filter *filter, const struct filter_path *path,
	const struct filter_field *field, struct json key, struct json value,
	const struct filter_siblings *siblings, struct filter_join *join);
/* All members of an object, which must be operators; of an empty one nothing. */
bool filter_operators(struct filter *filter, const struct filter_path *path,
	const struct filter_field *field, struct json object, struct filter_join *join);
/* One that is meant without being written: $in of an array, $eq of another value. */
bool filter_implicit(struct filter *filter, const struct filter_path *path,
	const struct filter_field *field, struct json value, struct filter_join *join);

static inline bool filter_is_kind(struct json value, enum json_kind kind)
{
	return json_kind(value) == kind;
}

static inline bool filter_is_container(struct json value)
{
	return filter_is_kind(value, JSON_OBJECT_KIND) || filter_is_kind(value, JSON_ARRAY_KIND);
}

bool filter_key_is(struct datum key, const char *name);
bool filter_is_operator(struct datum key); /* one of those that need a field */
bool filter_is_logical(struct datum key);  /* $and, $or, $nor, $not */

#endif
