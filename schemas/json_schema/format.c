/* format.c - finds formats by name; uuid */
#include "schemas/json_schema/format.h"

#include <string.h>

static const struct format {
	const char *name;
	format_fn *check;
} formats[] = {
	{ "date-time", format_is_date_time },
	{ "date", format_is_date },
	{ "time", format_is_time },
	{ "duration", format_is_duration },
	{ "email", format_is_email },
	{ "uri", format_is_uri },
	{ "ipv4", format_is_ipv4 },
	{ "ipv6", format_is_ipv6 },
	{ "uuid", format_is_uuid },
};

format_fn *format_find(const char *name, size_t size)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (strlen(formats[i].name) == size && memcmp(formats[i].name, name, size) == 0)
			return formats[i].check;
	return NULL;
}

const char *format_names(void)
{
	return "date-time, date, time, duration, email, uri, ipv4, ipv6, uuid";
}

/* RFC 4122: hexadecimal digits in groups of 8, 4, 4, 4 and 12. */
bool format_is_uuid(const char *text, size_t size)
{
	if (size != 36)
		return false;
	for (size_t i = 0; i < size; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash ? text[i] != '-' : !text[i] || !strchr("0123456789abcdefABCDEF", text[i]))
			return false;
	}
	return true;
}
