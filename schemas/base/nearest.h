/*
 * nearest.h - finds the known name most similar to an unknown one, to suggest it in an error
 *
 * Threads: pure functions.
 */
#ifndef SCHEMAS_BASE_NEAREST_H
#define SCHEMAS_BASE_NEAREST_H

#include <stddef.h>

#define NEAREST_NAME_MAX 128 /* longer names are similar to none */

/* Returns the number of edits (insert, delete, replace, swap neighbours) between two names. Ignores
 * the case of letters. SIZE_MAX if a name is too long. */
size_t nearest_distance(const char *a, const char *b);

/* The candidate with the fewest edits so far. Start with { .wanted = name }. */
struct nearest {
	const char *wanted;
	const char *found; /* NULL: no candidate is similar */
	size_t distance;
};
void nearest_offer(struct nearest *nearest, const char *candidate);
/* The same, but sets `found` instead of the candidate. */
void nearest_offer_as(struct nearest *nearest, const char *candidate, const char *found);

#endif
