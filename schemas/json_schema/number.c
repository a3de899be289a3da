/* number.c - exact comparison of JSON's numbers */
#include "schemas/json_schema/number.h"

#define NUMBER_EXPONENT_LIMIT INT64_C(1000000000)

static bool number_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int64_t number_exponent(const char *at, const char *end)
{
	bool negative = at < end && *at == '-';
	int64_t value = 0;

	for (at += at < end && !number_is_digit(*at); at < end; at++)
		if (value < NUMBER_EXPONENT_LIMIT)
			value = value * 10 + (*at - '0');
	if (value > NUMBER_EXPONENT_LIMIT)
		value = NUMBER_EXPONENT_LIMIT;
	return negative ? -value : value;
}

struct number number_read(const char *text, size_t size)
{
	const char *at = text, *end = text + size;
	struct number number = { .negative = size && *text == '-' };
	int64_t seen = 0, first = 0, whole = -1;

	for (at += number.negative; at < end && *at != 'e' && *at != 'E'; at++) {
		if (*at == '.') {
			whole = seen;
			continue;
		}
		if (*at != '0') {
			if (!number.digits) {
				number.digits = at;
				first = seen;
			}
			number.end = at + 1;
			number.count = seen + 1 - first;
		}
		seen++;
	}
	number.point = (whole < 0 ? seen : whole) - first +
		(at < end ? number_exponent(at + 1, end) : 0);
	if (!number.count)
		number = (struct number){ 0 };
	return number;
}

/* The next digit; 0 behind the last one. */
static int number_next(const char **at, const char *end)
{
	if (*at < end && **at == '.')
		(*at)++;
	return *at < end ? *(*at)++ - '0' : 0;
}

static int number_compare_sizes(const struct number *a, const struct number *b)
{
	const char *x = a->digits, *y = b->digits;
	int order;

	if (!a->count || !b->count)
		return (a->count > 0) - (b->count > 0);
	if (a->point != b->point)
		return a->point < b->point ? -1 : 1;
	do
		order = number_next(&x, a->end) - number_next(&y, b->end);
	while (order == 0 && (x < a->end || y < b->end));
	return order;
}

int number_compare(struct number a, struct number b)
{
	if (a.negative != b.negative)
		return a.negative ? -1 : 1;
	return a.negative ? number_compare_sizes(&b, &a) : number_compare_sizes(&a, &b);
}

bool number_is_integer(struct number number)
{
	return number.count <= number.point || number.count == 0;
}

uint64_t number_integer(struct number number)
{
	const char *at = number.digits;
	uint64_t integer = 0;

	for (int64_t i = 0; i < number.point; i++)
		integer = integer * 10 + (unsigned)number_next(&at, number.end);
	return integer;
}

/* The remainder of the digits, read as one integer. */
static uint64_t number_remainder(const struct number *number, uint64_t divisor)
{
	const char *at = number->digits;
	uint64_t rest = 0;

	for (int64_t i = 0; i < number->count; i++)
		rest = (uint64_t)(((unsigned __int128)rest * 10 +
					  (unsigned)number_next(&at, number->end)) %
			divisor);
	return rest;
}

static uint64_t number_power_remainder(int64_t exponent, uint64_t divisor)
{
	unsigned __int128 power = 1 % divisor, base = 10 % divisor;

	for (; exponent; exponent /= 2) {
		if (exponent % 2)
			power = power * base % divisor;
		base = base * base % divisor;
	}
	return (uint64_t)power;
}

bool number_is_multiple(struct number number, struct number divisor)
{
	int64_t shift = (number.point - number.count) - (divisor.point - divisor.count);

	if (!number.count)
		return true;
	if (shift < 0) /* the divisor, scaled, ends with a 0, which the number's digits do not */
		return false;
	divisor.point = divisor.count;
	uint64_t integer = number_integer(divisor);
	unsigned __int128 rest = (unsigned __int128)number_remainder(&number, integer) *
		number_power_remainder(shift, integer);
	return rest % integer == 0;
}
