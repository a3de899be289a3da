/* filter_number.c - decimal numbers: digits, exponents, and the form that numeric prints */
#include "handlers/domains/vectors/filter_number.h"

#include <stdlib.h>
#include <string.h>

static size_t filter_number_digits(const char *at, const char *end)
{
	size_t count = 0;

	while (at + count < end && at[count] >= '0' && at[count] <= '9')
		count++;
	return count;
}

/* Reads an optional exponent. Returns the position after it, or NULL if it has no digits. A
 * large exponent stops growing at a size that no limit allows. */
static const char *filter_number_read_exponent(const char *at, const char *end, int *exponent)
{
	*exponent = 0;
	if (at == end || (*at != 'e' && *at != 'E'))
		return at;
	at++;
	bool negative = at < end && *at == '-';
	at += at < end && (*at == '-' || *at == '+');
	size_t count = filter_number_digits(at, end);
	if (!count)
		return NULL;
	for (; count--; at++)
		if (*exponent <= FILTER_DIGITS)
			*exponent = *exponent * 10 + (*at - '0');
	*exponent = negative ? -*exponent : *exponent;
	return at;
}

bool filter_number_read(const char *at, size_t len, struct filter_number *out)
{
	const char *end = at + len;

	*out = (struct filter_number){ .negative = at < end && *at == '-' };
	at += at < end && (*at == '-' || *at == '+');
	out->whole = at;
	out->whole_len = filter_number_digits(at, end);
	at += out->whole_len;
	if (at < end && *at == '.') {
		out->part = ++at;
		out->part_len = filter_number_digits(at, end);
		at += out->part_len;
	}
	if (out->whole_len + out->part_len == 0)
		return false;
	at = filter_number_read_exponent(at, end, &out->exponent);
	return at == end;
}

bool filter_number_fits(const struct filter_number *number)
{
	size_t exponent = (size_t)abs(number->exponent);

	return number->whole_len + number->part_len + exponent <= FILTER_DIGITS;
}

static char filter_number_digit(const struct filter_number *number, size_t at)
{
	if (at < number->whole_len)
		return number->whole[at];
	at -= number->whole_len;
	return at < number->part_len ? number->part[at] : '0';
}

struct json filter_number_write(struct arena *arena, const struct filter_number *number)
{
	long point = (long)number->whole_len + number->exponent;
	long first = 0, last = (long)(number->whole_len + number->part_len);
	struct json_text out = json_text_sized(arena,
		(size_t)last + (size_t)abs(number->exponent) + strlen("-0."));

	while (first < last && filter_number_digit(number, (size_t)first) == '0')
		first++;
	while (last > first && filter_number_digit(number, (size_t)last - 1) == '0')
		last--;
	if (first == last)
		return (struct json){ "0", 1 };
	json_text_puts(&out, number->negative ? "-" : "");
	if (point <= first)
		json_text_puts(&out, "0");
	for (long i = first; i < point; i++)
		json_text_add(&out, &(char){ filter_number_digit(number, (size_t)i) }, 1);
	if (last > point)
		json_text_puts(&out, ".");
	for (long i = point; i < last; i++)
		json_text_add(&out,
			&(char){ i < first ? '0' : filter_number_digit(number, (size_t)i) }, 1);
	return json_text_end(&out);
}
