/*
 * filter_logical.h - the logical operators $and, $or, $nor and $not, and the SQL each becomes
 */
#ifndef HANDLERS_DOMAINS_VECTORS_FILTER_LOGICAL_H
#define HANDLERS_DOMAINS_VECTORS_FILTER_LOGICAL_H

#include "schemas/base/datum.h"

struct filter_logical {
	const char *name;
	const char *opening;
	const char
		*word; /* SQL between the items of an array; NULL: the operator takes an object */
	const char *empty; /* SQL for an empty array */
};

/* The logical operator of that name, or NULL. */
const struct filter_logical *filter_logical_find(struct datum key);

#endif
