/* format_time.c - the formats date-time, date, time and duration, of RFC 3339 */
#include "schemas/json_schema/format.h"

#include <string.h>

static bool time_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads exactly `count` digits; -1: there are fewer. */
static int time_number(const char **at, const char *end, int count)
{
	int value = 0;

	if (end - *at < count)
		return -1;
	for (int i = 0; i < count; i++, (*at)++) {
		if (!time_is_digit(**at))
			return -1;
		value = value * 10 + (**at - '0');
	}
	return value;
}

static bool time_mark(const char **at, const char *end, char mark)
{
	if (*at == end || **at != mark)
		return false;
	(*at)++;
	return true;
}

static int time_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

static bool time_read_date(const char **at, const char *end)
{
	int year = time_number(at, end, 4);
	if (year < 0 || !time_mark(at, end, '-'))
		return false;
	int month = time_number(at, end, 2);
	if (month < 1 || month > 12 || !time_mark(at, end, '-'))
		return false;
	int day = time_number(at, end, 2);
	return day >= 1 && day <= time_days(year, month);
}

/* Z or an offset, in minutes. */
static bool time_read_offset(const char **at, const char *end, int *minutes)
{
	*minutes = 0;
	if (time_mark(at, end, 'Z') || time_mark(at, end, 'z'))
		return true;
	int sign = time_mark(at, end, '-') ? -1 : time_mark(at, end, '+') ? 1 : 0;
	int hour = sign ? time_number(at, end, 2) : -1;
	if (hour < 0 || hour > 23 || !time_mark(at, end, ':'))
		return false;
	int minute = time_number(at, end, 2);
	*minutes = sign * (hour * 60 + minute);
	return minute >= 0 && minute <= 59;
}

static bool time_read_fraction(const char **at, const char *end)
{
	if (!time_mark(at, end, '.'))
		return true;
	const char *first = *at;
	while (*at < end && time_is_digit(**at))
		(*at)++;
	return *at > first;
}

/* A leap second ends a day of UTC. */
static bool time_read_time(const char **at, const char *end)
{
	int offset;
	int hour = time_number(at, end, 2);
	if (hour < 0 || hour > 23 || !time_mark(at, end, ':'))
		return false;
	int minute = time_number(at, end, 2);
	if (minute < 0 || minute > 59 || !time_mark(at, end, ':'))
		return false;
	int second = time_number(at, end, 2);
	if (second < 0 || second > 60 || !time_read_fraction(at, end) ||
		!time_read_offset(at, end, &offset))
		return false;
	return second < 60 || (hour * 60 + minute - offset + 2 * 1440) % 1440 == 1439;
}

bool format_is_date(const char *text, size_t size)
{
	const char *at = text, *end = text + size;
	return time_read_date(&at, end) && at == end;
}

bool format_is_time(const char *text, size_t size)
{
	const char *at = text, *end = text + size;
	return time_read_time(&at, end) && at == end;
}

bool format_is_date_time(const char *text, size_t size)
{
	const char *at = text, *end = text + size;

	return time_read_date(&at, end) && (time_mark(&at, end, 'T') || time_mark(&at, end, 't')) &&
		time_read_time(&at, end) && at == end;
}

/* Reads numbers, each with one of `units`, which follow each other without gaps. False: none, or another
 * character before `stop`. */
static bool time_read_units(const char **at, const char *end, const char *units)
{
	const char *unit = NULL;

	while (*at < end && **at != 'T') {
		const char *first = *at;
		while (*at < end && time_is_digit(**at))
			(*at)++;
		const char *found = *at > first && *at < end && **at ? strchr(units, **at) : NULL;
		if (!found || (unit && found != unit + 1))
			return false;
		unit = found;
		(*at)++;
	}
	return unit != NULL;
}

/* Appendix A of RFC 3339: weeks alone, or days and times. */
bool format_is_duration(const char *text, size_t size)
{
	const char *at = text, *end = text + size;

	if (!time_mark(&at, end, 'P') || at == end)
		return false;
	if (*at != 'T') {
		const char *date = at;
		if (!time_read_units(&at, end, "YMD")) {
			at = date;
			return time_read_units(&at, end, "W") && at == end;
		}
	}
	return at == end ||
		(time_mark(&at, end, 'T') && time_read_units(&at, end, "HMS") && at == end);
}
