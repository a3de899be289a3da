/* lane.c - tests of the replies that a lane owes, of gaps in the log and of starved lanes */
#include <criterion/criterion.h>

#include "worker/lanes/lane.h"

static struct lane *lane;

static void make(void)
{
	lane = lane_new("topic", 3);
	lane->offsets.position = 100;
}

static void drop(void)
{
	lane_free(lane);
}

TestSuite(lane_replies, .init = make, .fini = drop);

Test(lane_replies, without_replies_everything_is_answered)
{
	cr_assert_eq(lane_answered(lane), 100);
	cr_assert_not(lane_replies_waiting(lane));
}

Test(lane_replies, answered_stays_at_the_oldest_unanswered_read)
{
	lane_read_sent(lane, 40);
	lane_read_sent(lane, 41);
	lane_read_sent(lane, 60);
	lane_read_answered(lane, 41);
	lane_read_answered(lane, 60);
	cr_assert_eq(lane_answered(lane), 40);
	lane_read_answered(lane, 40);
	cr_assert_eq(lane_answered(lane), 100);
}

Test(lane_replies, many_reads_answered_backwards)
{
	for (int64_t i = 0; i < 1000; i++)
		lane_read_sent(lane, i);
	for (int64_t i = 999; i > 0; i--)
		lane_read_answered(lane, i);
	cr_assert_eq(lane_answered(lane), 0);
	lane_read_answered(lane, 0);
	cr_assert_not(lane_replies_waiting(lane));
}

Test(lane_replies, answer_to_an_unknown_read_changes_nothing)
{
	lane_read_sent(lane, 10);
	lane_read_answered(lane, 9);
	lane_read_answered(lane, 11);
	cr_assert_eq(lane_answered(lane), 10);
}

Test(lane_replies, outbox_row_is_done_when_all_its_replies_are_acknowledged)
{
	struct stored_replies *one = lane_replies_stored(lane, 7, 2);
	struct stored_replies *two = lane_replies_stored(lane, 8, 1);
	lane_reply_acked(lane, one);
	cr_assert_eq(lane->replies.acked_count, 0);
	lane_reply_acked(lane, two);
	cr_assert_eq(lane->replies.acked_count, 1);
	cr_assert_eq(lane->replies.acked[0], 8);
	lane_reply_acked(lane, one);
	cr_assert_eq(lane->replies.acked_count, 2);
	cr_assert_not(lane_replies_waiting(lane));
}

Test(lane_replies, forgetting_starts_another_generation)
{
	uint32_t before = lane->replies.generation;
	lane_replies_stored(lane, 7, 1);
	lane_read_sent(lane, 10);
	lane_forget_replies(lane);
	cr_assert_neq(lane->replies.generation, before);
	cr_assert_not(lane_replies_waiting(lane));
	cr_assert_eq(lane_answered(lane), 100);
}

TestSuite(lane_gaps, .init = make, .fini = drop);

Test(lane_gaps, seen_offsets_are_refused_next_ones_accepted)
{
	lane->offsets.next = 10;
	cr_assert_not(lane_accepts(lane, 9));
	cr_assert(lane_accepts(lane, 10));
	cr_assert(lane_accepts(lane, 11));
	cr_assert_not(lane_accepts(lane, 11));
	cr_assert_not(lane->fetch.reseek);
}

Test(lane_gaps, gap_is_believed_when_it_comes_again_after_a_seek)
{
	lane->offsets.next = 10;
	cr_assert_not(lane_accepts(lane, 15));
	cr_assert(lane->fetch.reseek);
	cr_assert_not(lane_accepts(lane, 10), "nothing is accepted before the seek");
	lane->fetch.reseek = false;
	cr_assert(lane_accepts(lane, 15));
	cr_assert_eq(lane->offsets.next, 16);
	cr_assert_not(lane->fetch.reseek);
}

Test(lane_gaps, skipped_messages_arrive_after_the_seek)
{
	lane->offsets.next = 10;
	cr_assert_not(lane_accepts(lane, 15));
	lane->fetch.reseek = false;
	for (int64_t offset = 10; offset < 20; offset++)
		cr_assert(lane_accepts(lane, offset));
	cr_assert_not(lane->fetch.reseek);
}

Test(lane_gaps, transaction_marker_at_the_end_is_passed_when_reported_twice)
{
	lane->state = LANE_RUNNING;
	lane->offsets.next = lane->offsets.position = 10;
	lane_reached_end(lane, 10);
	cr_assert_not(lane->fetch.reseek, "nothing is between");
	lane_reached_end(lane, 12);
	cr_assert(lane->fetch.reseek);
	lane_reached_end(lane, 12);
	cr_assert_eq(lane->offsets.next, 10, "not before the seek");
	lane->fetch.reseek = false;
	cr_assert(lane_accepts(lane, 10), "it was not the end");
	lane->offsets.position = 11;
	lane_reached_end(lane, 12);
	lane->fetch.reseek = false;
	lane->schedule.busy = true;
	lane_reached_end(lane, 12);
	cr_assert_eq(lane->offsets.next, 12);
	cr_assert_eq(lane->offsets.position, 11, "an executor has it");
	lane->schedule.busy = false;
	lane_pass_gap(lane);
	cr_assert_eq(lane->offsets.position, 12);
}

Test(lane_gaps, starved_lane_restarts_once_for_each_end)
{
	lane->state = LANE_RUNNING;
	lane->offsets.next = 10;
	cr_assert_not(lane_looks_starved(lane, 10, 2), "nothing is there");
	cr_assert_not(lane_looks_starved(lane, 12, 2));
	cr_assert(lane_looks_starved(lane, 12, 2));
	cr_assert(lane->fetch.reseek);
	lane->fetch.reseek = false;
	cr_assert_not(lane_looks_starved(lane, 12, 2));
	cr_assert_not(lane_looks_starved(lane, 12, 2));
	cr_assert_not(lane_looks_starved(lane, 13, 2));
	cr_assert(lane_looks_starved(lane, 13, 2));
}
