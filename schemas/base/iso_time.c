/* iso_time.c - reads and writes times in the format of Date.prototype.toISOString() */
#include "schemas/base/iso_time.h"

#include <stdio.h>

#define MS_A_DAY INT64_C(86400000)
#define DAYS_AN_ERA 146097   /* 400 years */
#define DAYS_TO_EPOCH 719468 /* from 0000-03-01 to 1970-01-01 */

/* A year begins in March here, so that the leap day is its last day. */
static int64_t days_from_date(int64_t year, int month, int day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * DAYS_AN_ERA + day_of_era - DAYS_TO_EPOCH;
}

static void date_from_days(int64_t days, int64_t *year, int *month, int *day)
{
	days += DAYS_TO_EPOCH;
	int64_t era = (days >= 0 ? days : days - (DAYS_AN_ERA - 1)) / DAYS_AN_ERA;
	int64_t day_of_era = days - era * DAYS_AN_ERA;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
				      day_of_era / (DAYS_AN_ERA - 1)) /
		365;
	int64_t day_of_year = day_of_era -
		(365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t shifted = (5 * day_of_year + 2) / 153;

	*day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
	*month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
	*year = year_of_era + era * 400 + (*month <= 2);
}

size_t iso_time_write(char out[ISO_TIME_SIZE], int64_t ms)
{
	int64_t days = ms / MS_A_DAY - (ms % MS_A_DAY < 0);
	int rest = (int)(ms - days * MS_A_DAY);
	int64_t year;
	int month, day;

	date_from_days(days, &year, &month, &day);
	int sign = year > 9999 ? '+' : '-';
	int len = year >= 0 && year <= 9999
		? snprintf(out, ISO_TIME_SIZE, "%04d", (int)year)
		: snprintf(out, ISO_TIME_SIZE, "%c%06d", sign, (int)(year < 0 ? -year : year));
	len += snprintf(out + len, ISO_TIME_SIZE - (size_t)len, "-%02d-%02dT%02d:%02d:%02d.%03dZ",
		month, day, rest / 3600000, rest / 60000 % 60, rest / 1000 % 60, rest % 1000);
	return (size_t)len;
}

/* The text that is left to read. `ok` becomes false at the first error and stays false. */
struct reader {
	const char *at;
	const char *end;
	bool ok;
};

static bool take_char(struct reader *in, char wanted)
{
	bool found = in->at < in->end && *in->at == wanted;
	in->at += found;
	return found;
}

static void iso_time_expect(struct reader *in, char wanted)
{
	in->ok = take_char(in, wanted) && in->ok;
}

static int take_digits(struct reader *in, int count, int min, int max)
{
	int value = 0;

	for (; count > 0; count--, in->at++) {
		if (in->at >= in->end || *in->at < '0' || *in->at > '9') {
			in->ok = false;
			return min;
		}
		value = value * 10 + (*in->at - '0');
	}
	if (value < min || value > max)
		in->ok = false;
	return value;
}

static int take_year(struct reader *in)
{
	if (take_char(in, '+'))
		return take_digits(in, 6, 0, 275760);
	if (take_char(in, '-'))
		return -take_digits(in, 6, 1, 271821);
	return take_digits(in, 4, 0, 9999);
}

/* Reads an optional point and digits, and returns milliseconds from the first three digits. */
static int take_fraction(struct reader *in)
{
	int value = 0, digits = 0;

	if (!take_char(in, '.'))
		return 0;
	for (; in->at < in->end && *in->at >= '0' && *in->at <= '9'; in->at++, digits++)
		if (digits < 3)
			value = value * 10 + (*in->at - '0');
	in->ok = in->ok && digits > 0;
	for (; digits < 3; digits++)
		value *= 10;
	return value;
}

/* Returns the offset from UTC in minutes. */
static int take_zone(struct reader *in)
{
	if (take_char(in, 'Z'))
		return 0;
	int sign = take_char(in, '+') ? 1 : -1;
	if (sign < 0)
		iso_time_expect(in, '-');
	int hours = take_digits(in, 2, 0, 23);
	iso_time_expect(in, ':');
	return sign * (hours * 60 + take_digits(in, 2, 0, 59));
}

bool iso_time_read(const char *text, size_t len, int64_t *ms)
{
	struct reader in = { text, text + len, true };

	int year = take_year(&in);
	iso_time_expect(&in, '-');
	int month = take_digits(&in, 2, 1, 12);
	iso_time_expect(&in, '-');
	int day = take_digits(&in, 2, 1, 31);
	iso_time_expect(&in, 'T');
	int64_t minutes = take_digits(&in, 2, 0, 24) * 60;
	iso_time_expect(&in, ':');
	minutes += take_digits(&in, 2, 0, 59);
	iso_time_expect(&in, ':');
	int seconds = take_digits(&in, 2, 0, 59);
	int fraction = take_fraction(&in);
	minutes -= take_zone(&in);
	*ms = days_from_date(year, month, day) * MS_A_DAY + (minutes * 60 + seconds) * 1000 +
		fraction;
	return in.ok && in.at == in.end;
}
