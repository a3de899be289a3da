/*
 * filter_operator.h - finds and writes the operators on a field
 */
#ifndef HANDLERS_DOMAINS_VECTORS_FILTER_OPERATOR_H
#define HANDLERS_DOMAINS_VECTORS_FILTER_OPERATOR_H

#include "handlers/domains/vectors/filter_field.h"
#include "handlers/domains/vectors/filter_value.h"

/* Writes all members of an object, which must be operators; nothing for an empty object. */
bool filter_operators(struct filter *filter, const struct filter_path *path,
	const struct filter_field *field, struct json object, struct filter_join *join);

/* Writes the operator that a bare value stands for: $in for an array, $eq for another value. */
bool filter_implicit(struct filter *filter, const struct filter_path *path,
	const struct filter_field *field, struct json value, struct filter_join *join);

/* Is the key an operator that needs a field? */
bool filter_is_operator(struct datum key);

#endif
