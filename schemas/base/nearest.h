/*
 * nearest.h - what somebody may have meant by a name that does not exist
 */
#ifndef SCHEMAS_BASE_NEAREST_H
#define SCHEMAS_BASE_NEAREST_H

#include <stddef.h>

#define NEAREST_NAME_MAX 128 /* longer names are like nothing */

/* Edits (insert, delete, replace, swap of neighbours) between two names, letters' case aside. */
size_t nearest_distance(const char *a, const char *b);

/* Fewest edits so far, over any number of candidates. Start with { .wanted = name }. */
struct nearest {
	const char *wanted;
	const char *found; /* NULL: nothing is near; else one of the candidates */
	size_t distance;
};
void nearest_offer(struct nearest *nearest, const char *candidate);
/* The same, but it is `found` that will be shown. */
void nearest_offer_as(struct nearest *nearest, const char *candidate, const char *found);

#endif
