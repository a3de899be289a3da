/*
 * filter_compare.h - operators that compare a field with a value or a list
 */
#ifndef HANDLERS_DOMAINS_VECTORS_FILTER_COMPARE_H
#define HANDLERS_DOMAINS_VECTORS_FILTER_COMPARE_H

#include "handlers/domains/vectors/filter_operation.h"

filter_operation_fn filter_compare_equal;    /* $eq, $ne */
filter_operation_fn filter_compare_ordered;  /* $gt, $gte, $lt, $lte */
filter_operation_fn filter_compare_in;       /* $in, $nin */
filter_operation_fn filter_compare_all;      /* $all */
filter_operation_fn filter_compare_contains; /* $contains */

#endif
