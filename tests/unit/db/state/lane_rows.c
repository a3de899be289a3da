/* lane_rows.c - reading which lanes a fence lists in its error */
#include <criterion/criterion.h>

#include "db/state/lane_rows.h"

Test(lane_rows, fence_names_lanes)
{
	cr_assert(lane_rows_fenced("0,3,12", 0));
	cr_assert(lane_rows_fenced("0,3,12", 12));
	cr_assert_not(lane_rows_fenced("0,3,12", 1));
	cr_assert_not(lane_rows_fenced("12", 2));
	cr_assert(lane_rows_fenced("", 5), "a fence that lists none means all");
}
