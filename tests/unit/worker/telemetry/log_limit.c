/* log_limit.c - of many lines of one kind some are written, and the others are counted */
#include "worker/telemetry/log_limit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct log_limit *limit;

static void open_limit(void)
{
	limit = log_limit_new();
}

static void close_limit(void)
{
	log_limit_free(limit);
}

TestSuite(log_limit, .init = open_limit, .fini = close_limit);

static int allowed(const char *key, int lines, int64_t now)
{
	int count = 0;
	for (int i = 0; i < lines; i++)
		count += log_limit_allows(limit, 1, "command failed", key, now);
	return count;
}

Test(log_limit, a_flood_is_counted)
{
	struct log_left_out out;
	cr_expect_eq(allowed("A", 1000, 5), LOG_LIMIT_LINES);
	cr_expect_eq(allowed("B", 3, 5), 3, "another kind is written");
	cr_expect_eq(allowed("A", 234, 5 + LOG_LIMIT_MS - 1), 0);
	cr_expect_not(log_limit_due(limit, 5 + LOG_LIMIT_MS - 1, &out));
	cr_assert(log_limit_due(limit, 5 + LOG_LIMIT_MS, &out));
	cr_expect_str_eq(out.key, "A");
	cr_expect_eq(out.count, 1234 - LOG_LIMIT_LINES);
	cr_expect_not(log_limit_due(limit, 5 + LOG_LIMIT_MS, &out), "each is reported once");
	cr_expect_eq(allowed("A", 30, 5 + LOG_LIMIT_MS), LOG_LIMIT_LINES);
}

Test(log_limit, what_comes_now_and_then_is_always_written)
{
	struct log_left_out out;
	for (int64_t now = 0; now < 100 * LOG_LIMIT_MS; now += LOG_LIMIT_MS / 10)
		cr_assert_eq(allowed("A", 1, now), 1);
	cr_expect_not(log_limit_due(limit, 1000 * LOG_LIMIT_MS, &out));
}

Test(log_limit, more_kinds_than_places_share_one)
{
	static char keys[1000][16];
	struct log_left_out out;
	for (int i = 0; i < 1000; i++)
		snprintf(keys[i], sizeof(keys[i]), "%d", i);
	int lines = 0;
	for (int i = 0; i < 1000; i++)
		lines += allowed(keys[i], 1, 0);
	cr_expect_lt(lines, 400);
	cr_expect(log_limit_due(limit, LOG_LIMIT_MS, &out));
	cr_expect_eq(out.count, 1000 - (uint64_t)lines);
}
