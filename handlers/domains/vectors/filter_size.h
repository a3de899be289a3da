/*
 * filter_size.h - the operator $size
 */
#ifndef HANDLERS_DOMAINS_VECTORS_FILTER_SIZE_H
#define HANDLERS_DOMAINS_VECTORS_FILTER_SIZE_H

#include "handlers/domains/vectors/filter_operation.h"

/* $size: a whole number, or comparisons. False for a field that is not an array. */
filter_operation_fn filter_size;

#endif
