/*
 * filter_regex.h - the operators $regex and $options
 */
#ifndef HANDLERS_DOMAINS_VECTORS_FILTER_REGEX_H
#define HANDLERS_DOMAINS_VECTORS_FILTER_REGEX_H

#include "handlers/domains/vectors/filter_operation.h"

/* Finds $regex and $options among an object's keys. */
struct filter_siblings filter_regex_siblings(struct filter *filter, struct json object);

filter_operation_fn filter_regex; /* $regex */

/* Checks $options, which writes no condition: $regex uses its flags. */
filter_operation_fn filter_regex_options_ok;

#endif
