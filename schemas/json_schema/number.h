/*
 * number.h - JSON's numbers compared exactly, with all their digits and any exponent
 *
 * Pure functions.
 */
#ifndef SCHEMAS_JSON_SCHEMA_NUMBER_H
#define SCHEMAS_JSON_SCHEMA_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value is 0.DIGITS times ten to the power of `point`. */
struct number {
	const char *
		digits; /* from the first to the last that is not 0; a point may stand among them */
	const char *end;
	int64_t count; /* of the digits; 0: the number is zero */
	int64_t point;
	bool negative;
};

/* The longest divisor that number_is_multiple takes. */
#define NUMBER_DIVISOR_DIGITS 18

/* Reads a number of valid JSON. It points into the text. Exponents beyond a billion count as a billion. */
struct number number_read(const char *text, size_t size);

/* Less than zero, zero or more than zero, as `a` is less than, equal to or more than `b`. */
int number_compare(struct number a, struct number b);

bool number_is_integer(struct number number);

/* The value of an integer from 0 to 10^18 - 1. */
uint64_t number_integer(struct number number);

/* `divisor` is more than zero and has at most NUMBER_DIVISOR_DIGITS digits. */
bool number_is_multiple(struct number number, struct number divisor);

#endif
