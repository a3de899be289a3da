/*
 * filter_operation.h - one operator applied to one field, as the operators' functions get it
 *
 * An operator is a three-valued condition. It is NULL for a row without the field, or with a value
 * of another type; $not and $nor leave NULL as it is. The reference does the same.
 */
#ifndef HANDLERS_DOMAINS_VECTORS_FILTER_OPERATION_H
#define HANDLERS_DOMAINS_VECTORS_FILTER_OPERATION_H

#include "handlers/domains/vectors/filter_field.h"
#include "handlers/domains/vectors/filter_value.h"

#define FILTER_FLAGS 4 /* flags of a regular expression: i, m, s, x */

/* What $regex and $options of one object need to know of each other. */
struct filter_siblings {
	bool regex;                   /* the object has a $regex */
	char flags[FILTER_FLAGS + 1]; /* the flags that $options gives */
};

struct filter_operation {
	const struct filter_path *path;
	const struct filter_field *field;
	struct json value;
	const struct filter_siblings *siblings; /* NULL: the filter does not spell the operator */
	const char *sql;                        /* SQL of the operator, if its function needs one */
};

/* Writes the operation's condition. */
typedef bool filter_operation_fn(struct filter *filter, const struct filter_operation *op);

#endif
