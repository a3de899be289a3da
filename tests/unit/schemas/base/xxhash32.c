/*
 * xxhash32.c - tests of schemas/base/xxhash32.c, with values of the specification's implementation
 */
#include <criterion/criterion.h>
#include <string.h>

#include "schemas/base/xxhash32.h"

Test(xxhash32, known_values)
{
	static const struct {
		const char *text;
		uint32_t hash;
	} known[] = {
		{ "", 0x02CC5D05 },
		{ "a", 0x550D7456 },
		{ "abc", 0x32D153FF },
		{ "Nobody inspects the spammish repetition", 0xE2293B2F },
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		cr_expect_eq(xxhash32(known[i].text, strlen(known[i].text)), known[i].hash, "%s",
			known[i].text);
}
