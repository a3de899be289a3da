/*
 * read.c - tests of schemas/json/read.c: what JavaScript treats as false
 */
#include <criterion/criterion.h>
#include <string.h>

#include "schemas/json/json.h"

static bool is_falsy(const char *text)
{
	return json_is_falsy((struct json){ text, strlen(text) });
}

Test(json_read, falsy)
{
	static const char *const falsy[] = { "null", "false", "0", "-0", "0.0", "-0.00", "0e9",
		"0E-7", "\"\"" };
	static const char *const truthy[] = { "true", "1", "-1", "0.01", "10", "1e9", "\"0\"",
		"\" \"", "\"\\u0000\"", "\"\\\"\"", "{}", "[]", "[0]" };

	cr_expect(json_is_falsy((struct json){ 0 }));
	for (size_t i = 0; i < sizeof(falsy) / sizeof(falsy[0]); i++)
		cr_expect(is_falsy(falsy[i]), "%s", falsy[i]);
	for (size_t i = 0; i < sizeof(truthy) / sizeof(truthy[0]); i++)
		cr_expect(!is_falsy(truthy[i]), "%s", truthy[i]);
}
