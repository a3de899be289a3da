/* How many reads run at once beside their lanes: what is best is found, and found again. */
#include "worker/lanes/detached_limit.h"

#include <criterion/criterion.h>

#define MOST 9

/* A server: reads a second when so many run. */
typedef double server_fn(unsigned running);

static struct detached_limit limit;
static double now_ms;

/* Processors that are shared make each read dearer. */
static double two_processors(unsigned running)
{
	static const double rates[] = { 0, 240, 480, 460, 440, 430, 420, 410, 405, 400 };
	return rates[running];
}

static double many_processors(unsigned running)
{
	return 240.0 * running;
}

/* Of so many reads the part that ended while the limit was `at`. */
static double share(server_fn *server, unsigned reads, unsigned at)
{
	unsigned there = 0;
	for (unsigned i = 0; i < reads; i++) {
		cr_assert_leq(limit.now, limit.most);
		cr_assert_geq(limit.now, 1);
		there += limit.now == at;
		now_ms += 1000 / server(limit.now);
		detached_limit_done(&limit, true, (int64_t)now_ms);
	}
	return (double)there / reads;
}

static void make(void)
{
	detached_limit_init(&limit, MOST);
	now_ms = 1;
}

TestSuite(worker_side_limit, .init = make);

Test(worker_side_limit, as_few_as_there_are_processors)
{
	share(two_processors, 1000, 2);
	cr_assert_gt(share(two_processors, 20000, 2), 0.95);
}

Test(worker_side_limit, as_many_as_may_be_where_each_has_a_processor)
{
	share(many_processors, 3000, MOST);
	cr_assert_gt(share(many_processors, 100000, MOST), 0.95);
}

Test(worker_side_limit, what_was_best_is_left_when_it_is_not_any_more)
{
	share(two_processors, 20000, 2);
	share(many_processors, 60000, MOST);
	cr_assert_gt(share(many_processors, 60000, MOST), 0.95);
	share(two_processors, 30000, 2);
	cr_assert_gt(share(two_processors, 20000, 2), 0.95);
}

Test(worker_side_limit, nothing_is_tried_while_none_waits)
{
	for (unsigned i = 0; i < 10000; i++) {
		detached_limit_done(&limit, false, (int64_t)++now_ms);
		cr_assert_eq(limit.now, MOST);
	}
}

Test(worker_side_limit, bursts_that_end_early_tell_too)
{
	for (unsigned burst = 0; burst < 500; burst++) {
		share(two_processors, 20, 2);
		now_ms += 3;
		detached_limit_done(&limit, false, (int64_t)now_ms);
		now_ms += 5000;
	}
	cr_assert_eq(limit.base, 2);
}

Test(worker_side_limit, one_session_is_one)
{
	detached_limit_init(&limit, 1);
	cr_assert_eq(share(two_processors, 5000, 1), 1);
}
