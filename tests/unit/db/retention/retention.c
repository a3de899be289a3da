/* retention.c - ages, and the names of tables whose old rows can go */
#include <criterion/criterion.h>
#include <string.h>

#include "db/retention/retention.h"

#define DAY INT64_C(86400000)

static int64_t age_of(const char *text)
{
	int64_t ms = 0;
	return retention_age(text, strlen(text), &ms) ? ms : -1;
}

Test(retention, age_has_a_unit_or_is_milliseconds)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = { { "30d", 30 * DAY }, { "2w", 14 * DAY }, { "1.5h", 5400000 },
		{ "90m", 5400000 }, { "45s", 45000 }, { "7ms", 7 }, { "604800000", 7 * DAY },
		{ "0d", 0 }, { "9999999999999999w", INT64_C(32000000000000000) } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(age_of(cases[i].text), cases[i].ms, "%s", cases[i].text);
}

Test(retention, anything_else_is_no_age)
{
	static const char *const cases[] = { "", "d", "30 d", "-1d", "+1d", "1e3s", ".5d", "1.d",
		"1y", "1D", " 1d", "1d ", "1.5.5d", "NaN", "inf",
		"1000000000000000000000000000000000000d" };
	int64_t ms;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(age_of(cases[i]), -1, "%s", cases[i]);
	cr_assert_not(retention_age("1d\0", 3, &ms));
}

Test(retention, tables_are_found_by_domain_and_key)
{
	for (size_t i = 0; i < RETENTION_COUNT; i++) {
		const struct retention_table *table = &retention_tables[i];
		cr_assert_eq(retention_find(table->domain, table->key, strlen(table->key)), table);
		cr_assert(retention_has(table->domain, strlen(table->domain)));
	}
	cr_assert_null(retention_find("memory", "messagesX", 9));
	cr_assert_eq(retention_find("memory", "messagesX", 8),
		&retention_tables[RETENTION_MESSAGES]);
	cr_assert_not(retention_has("agents", 6));
}
