/*
 * filter_number.h - reads a decimal number and writes it as PostgreSQL's numeric prints it
 *
 * jsonb stores numbers as numeric, and ->> prints them without an exponent. JavaScript prints large
 * and small numbers with one, so texts must be converted before they are compared.
 */
#ifndef HANDLERS_DOMAINS_VECTORS_FILTER_NUMBER_H
#define HANDLERS_DOMAINS_VECTORS_FILTER_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

#include "schemas/base/arena.h"
#include "schemas/json/json.h"

#define FILTER_DIGITS 1000 /* digits of a number written in full; numeric holds far more */

/* The parts of a number's text. */
struct filter_number {
	bool negative;
	const char *whole; /* the digits before the decimal point */
	size_t whole_len;
	const char *part; /* the digits after the decimal point */
	size_t part_len;
	int exponent;
};

/* Reads JSON's numbers, and the forms that JavaScript and PostgreSQL both accept besides: +5, .5,
 * 5. (with a point). False if the text is not a number. */
bool filter_number_read(const char *at, size_t len, struct filter_number *out);

/* Does the number, written in full, have up to FILTER_DIGITS digits? */
bool filter_number_fits(const struct filter_number *number);

/* Writes a number that fits: no exponent, no superfluous zeros. The text lives in the arena. */
struct json filter_number_write(struct arena *arena, const struct filter_number *number);

#endif
