/* order_clock.c - tests of worker/engine/order_clock.h */
#include <criterion/criterion.h>

#include "worker/engine/order_clock.h"

Test(order_clock, follows_the_wall_clock)
{
	struct order_clock clock = { 0 };
	cr_assert_eq(order_clock_take(&clock, 1000000, 1), 1000000);
	cr_assert_eq(order_clock_take(&clock, 5000000, 3), 5000000);
	cr_assert_eq(order_clock_take(&clock, 9000000, 1), 9000000);
}

Test(order_clock, gives_no_microsecond_twice)
{
	struct order_clock clock = { 0 };
	cr_assert_eq(order_clock_take(&clock, 1000000, 200), 1000000);
	cr_assert_eq(order_clock_take(&clock, 1000000, 1), 1000200);
	cr_assert_eq(order_clock_take(&clock, 1000150, 2), 1000201);
	cr_assert_eq(order_clock_take(&clock, 1000203, 1), 1000203);
}

Test(order_clock, does_not_go_back_with_the_wall_clock)
{
	struct order_clock clock = { 0 };
	int64_t first = order_clock_take(&clock, 100000000, 1);
	cr_assert_eq(order_clock_take(&clock, 100000001 - ORDER_CLOCK_AHEAD_US, 1), first + 1);
	/* A clock that was wrong by more than that is followed. */
	cr_assert_eq(order_clock_take(&clock, 1000000, 1), 1000000);
}
