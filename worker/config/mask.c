/*
 * mask.c - hides secrets before a value is printed or logged
 */
#include "worker/config/mask.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"

#define MASK "***"

bool config_property_is_secret(const char *name, size_t len)
{
	static const char *const marks[] = { "password", "secret", "ssl.key.pem",
		"sasl.oauthbearer.config", "private.key" };
	char *copy = alloc_bytes(name, len);
	bool secret = false;

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		secret = secret || strstr(copy, marks[i]);
	free(copy);
	return secret;
}

/* libpq marks its secret parameters with the display form '*'. */
static bool is_secret(const PQconninfoOption *option)
{
	return (option->dispchar && option->dispchar[0] == '*') ||
		strstr(option->keyword, "password");
}

char *config_masked(const char *connection_string)
{
	PQconninfoOption *options = PQconninfoParse(connection_string, NULL);
	char *text = alloc_copy("");

	for (PQconninfoOption *option = options; option && option->keyword; option++) {
		char *longer;

		if (!option->val)
			continue;
		longer = alloc_printf("%s%s%s=%s", text, *text ? " " : "", option->keyword,
			is_secret(option) ? MASK : option->val);
		free(text);
		text = longer;
	}
	PQconninfoFree(options);
	return text;
}
