/*
 * filter_writer.h - the SQL condition being written, its limits, and the path that errors name
 *
 * Shared by the filter*.c files only. The filter is read once, and its SQL is written along the
 * way. Functions return false when the call has failed. Recursion follows the filter's nesting
 * and ends at FILTER_DEPTH.
 */
#ifndef HANDLERS_DOMAINS_VECTORS_FILTER_WRITER_H
#define HANDLERS_DOMAINS_VECTORS_FILTER_WRITER_H

#include <stdbool.h>
#include <stddef.h>

#include "handlers/core/context.h"
#include "schemas/json/json.h"

/* Limit on conditions. Objects of fields, $options, and objects and arrays in lists count too,
 * because each costs time. */
#define FILTER_CONDITIONS 1024
#define FILTER_DEPTH 32 /* levels of a filter, and parts of a dotted field */

struct filter {
	struct context *ctx;
	struct call *call;
	const char *name;     /* name of the whole filter, where paths begin */
	struct json_text sql; /* the SQL so far; json_text serves for any growing text */
	unsigned conditions;
	unsigned items; /* array elements that have a name in the SQL */
};

/* The path from the filter's root. Each caller keeps its own step on its stack; errors alone read
 * the path. */
struct filter_path {
	const struct filter_path *up; /* NULL: the root */
	struct json key;              /* the member's key with its quotes; absent for an item */
	unsigned index;               /* the item's index */
	unsigned depth;
};
struct filter_path filter_member(const struct filter_path *up, struct json key);
struct filter_path filter_item(const struct filter_path *up, unsigned index);

/* Fails the call with the path and `why`; always returns false. */
bool filter_fail(struct filter *filter, const struct filter_path *path, const char *why);

/* Records the path of a regular expression for the error: only PostgreSQL can tell whether the
 * expression is valid. */
void filter_pattern(struct filter *filter, const struct filter_path *path);

/* Counts a condition against the limits of depth and number. */
bool filter_count(struct filter *filter, const struct filter_path *path);

/* A list of conditions. filter_next writes the word before each condition but the first, and counts
 * the condition. */
struct filter_join {
	const char *word; /* " AND " or " OR " */
	unsigned count;
};
bool filter_next(struct filter *filter, const struct filter_path *path, struct filter_join *join);

void filter_puts(struct filter *filter, const char *sql);
void filter_printf(struct filter *filter, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
